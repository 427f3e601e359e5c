static _Thread_local int own;

int use(void);

int use(void)
{
    return ++own;
}
