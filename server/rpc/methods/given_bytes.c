#include "rpc/methods/given_bytes.h"

void um_given_fail_raw(struct um_call *call)
{
    um_fail(call, UMEM_E_UNSUPPORTED, "encoding \"raw\" needs the header framing");
    um_reply_end(call);
}

void um_given_fail_data(struct um_call *call)
{
    um_fail(call, UMEM_E_INVALID_PARAMS, "%s: give \"data\" without a payload, or encoding \"raw\" with one",
            call->method->name);
    um_reply_string(call, "param", "data");
    um_reply_end(call);
}

void um_given_fail_size(struct um_call *call, uint64_t said, uint64_t given, bool raw)
{
    um_fail(call, UMEM_E_INVALID_PARAMS, "%s: parameter \"size\" is %llu, but %llu bytes are given%s",
            call->method->name, (unsigned long long)said, (unsigned long long)given,
            raw ? "; Payload-Length says how many raw ones follow the message" : "");
    um_reply_string(call, "param", "size");
    um_reply_end(call);
}
