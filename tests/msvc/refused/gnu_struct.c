struct nothing {
};

extern struct nothing nothing;
