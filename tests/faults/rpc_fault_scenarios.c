#include "rpc_fault_scenarios.h"

#include <cJSON.h>

/* Block "b" of heap "h", which the headers' client has made; block "large" of 3 MiB. */
static void prepare(struct harness *harness)
{
    struct um_session *session = &harness->fixture->other;

    new_heap(session, "{\"name\":\"h\"}");
    new_block(session, "{\"size\":100000,\"name\":\"b\",\"heap\":\"h\"}");
    new_block(session, "{\"size\":3145728,\"name\":\"large\"}");
}

#define REQUEST(peer, id, method, params) \
    { \
        peer, MESSAGE_OF(id, method, params), 0 \
    }
#define END \
    { \
        LINES, NULL, 0 \
    }

static const struct line raw_bytes[] = {
    {HEADERS, MESSAGE_OF("1", "block.write", "{\"block\":\"b\",\"encoding\":\"raw\"}"), 90000},
    REQUEST(HEADERS, "2", "block.read", "{\"block\":\"b\",\"size\":10,\"encoding\":\"raw\"}"),
    REQUEST(HEADERS, "3", "block.read", "{\"block\":\"b\",\"encoding\":\"raw\"}"),
    {HEADERS, MESSAGE_OF("4", "block.write", "{\"block\":\"nobody\",\"encoding\":\"raw\"}"), 10},
    {HEADERS, MESSAGE_OF("5", "server.ping", "{}"), 10},
    {HEADERS, "this is no JSON", 10},
    REQUEST(HEADERS, "6", "server.ping", "{}"),
    END,
};

static const struct line batches[] = {
    {LINES,
     "[" MESSAGE_OF("1", "block.alloc", "{\"size\":1,\"name\":\"one\"}") "," MESSAGE_OF(
         "2", "block.read",
         "{\"block\":\"b\",\"size\":1000}") "," MESSAGE_OF("3", "rpc.discover",
                                                           "{}") "," MESSAGE_OF("4", "block.free",
                                                                                "[\"one\"]") "]",
     0},
    {HEADERS,
     "[" MESSAGE_OF("1", "block.write", "{\"block\":\"b\",\"encoding\":\"raw\",\"size\":1000}") "," MESSAGE_OF(
         "2", "block.read",
         "{\"block\":\"b\",\"size\":1500,\"encoding\":\"raw\"}") "," MESSAGE_OF("3", "block.write",
                                                                                "{\"block\":\"no\","
                                                                                "\"encoding\":"
                                                                                "\"raw\",\"size\":500}") "]",
     1500},
    {HEADERS, "[" MESSAGE_OF("4", "block.write", "{\"block\":\"b\",\"encoding\":\"raw\",\"size\":1}") "]", 2},
    {LINES, "[]", 0},
    {LINES, "[1,2,3,4,5,6,7,8,9,10]", 0},
    REQUEST(LINES, "9", "server.ping", "{}"),
    END,
};

static const struct line published[] = {
    {HEADERS,
     MESSAGE_OF("1", "block.alloc", "{\"name\":\"b\",\"encoding\":\"raw\",\"if_exists\":\"replace\"}"),
     90000},
    REQUEST(HEADERS, "2", "block.alloc",
            "{\"name\":\"b\",\"data\":\"AAAA\",\"heap\":\"h\",\"if_exists\":\"replace\"}"),
    REQUEST(HEADERS, "3", "block.alloc", "{\"size\":1,\"name\":\"large\",\"if_exists\":\"open\"}"),
    REQUEST(LINES, "1", "block.alloc", "{\"name\":\"new\",\"data\":\"AAAA\",\"if_exists\":\"open\"}"),
    REQUEST(LINES, "2", "block.change", "{\"block\":\"new\",\"name\":\"large\",\"if_exists\":\"replace\"}"),
    REQUEST(LINES, "3", "heap.create",
            "{\"name\":\"s\",\"kind\":\"shared\",\"maximum_size\":4000000,\"if_exists\":\"open\"}"),
    {HEADERS,
     MESSAGE_OF("4", "block.alloc",
                "{\"name\":\"b\",\"heap\":\"s\",\"encoding\":\"raw\",\"if_exists\":\"replace\"}"),
     2000000},
    REQUEST(HEADERS, "5", "block.read", "{\"block\":\"b\",\"at_most\":10,\"encoding\":\"raw\"}"),
    END,
};

static const struct line watches[] = {
    REQUEST(LINES, "1", "session.watch", "{}"),
    REQUEST(LINES, "2", "session.watch", "{\"heap\":\"h\"}"),
    REQUEST(LINES, "3", "session.watch", "{\"block\":\"b\"}"),
    REQUEST(HEADERS, "1", "session.watch", "{\"block\":\"b\"}"),
    REQUEST(HEADERS, "2", "block.write", "{\"block\":\"b\",\"data\":\"AAAA\"}"),
    REQUEST(LINES, "4", "block.fill", "{\"block\":\"large\",\"value\":1}"),
    REQUEST(LINES, "5", "block.resize", "{\"block\":\"b\",\"size\":10}"),
    REQUEST(HEADERS, "3", "block.free", "[\"b\"]"),
    REQUEST(HEADERS, "4", "heap.destroy", "[\"h\"]"),
    REQUEST(HEADERS, "5", "server.ping", "{}"),
    END,
};

static const struct line waits[] = {
    REQUEST(LINES, "1", "block.wait", "{\"block\":\"b\",\"offset\":0,\"value\":0}"),
    REQUEST(LINES, "\"two\"", "block.wait", "{\"block\":\"b\",\"offset\":8,\"value\":0,\"timeout_ms\":50}"),
    REQUEST(HEADERS, "1", "block.wait", "{\"block\":\"b\",\"offset\":0,\"value\":0,\"timeout_ms\":60}"),
    REQUEST(HEADERS, "2", "block.wait", "{\"block\":\"large\",\"offset\":0,\"value\":0}"),
    REQUEST(HEADERS, "3", "block.add", "{\"block\":\"b\",\"offset\":0,\"value\":5}"),
    {HEADERS, "{\"jsonrpc\":\"2.0\",\"method\":\"$/cancelRequest\",\"params\":[2]}", 0},
    REQUEST(HEADERS, "4", "server.ping", "{}"),
    REQUEST(LINES, "5", "block.free", "[\"b\"]"),
    END,
};

static const struct line locks[] = {
    REQUEST(HEADERS, "1", "heap.lock", "[\"h\"]"),      REQUEST(LINES, "1", "heap.lock", "[\"h\",50]"),
    REQUEST(LINES, "2", "heap.lock", "[\"h\",70]"),     REQUEST(LINES, "3", "block.read", "[\"b\",0,1]"),
    REQUEST(HEADERS, "2", "heap.unlock", "[\"h\"]"),    REQUEST(HEADERS, "3", "heap.lock", "[\"h\",60]"),
    REQUEST(HEADERS, "4", "block.fill", "[\"large\"]"), REQUEST(LINES, "4", "heap.unlock", "[\"h\"]"),
    REQUEST(LINES, "5", "server.ping", "{}"),           END,
};

static const struct line long_calls[] = {
    REQUEST(LINES, "1", "block.fill", "{\"block\":\"large\",\"value\":3}"),
    REQUEST(HEADERS, "1", "block.compare", "{\"left\":\"large\",\"right\":\"large\"}"),
    REQUEST(HEADERS, "2", "block.find", "{\"block\":\"large\",\"data\":\"AAAA\"}"),
    REQUEST(LINES, "2", "block.copy", "{\"source\":\"large\",\"target\":\"large\",\"target_offset\":0}"),
    REQUEST(LINES, "3", "block.resize", "{\"block\":\"large\",\"size\":6291456}"),
    REQUEST(LINES, "4", "block.resize", "{\"block\":\"large\",\"size\":1}"),
    REQUEST(LINES, "5", "heap.validate", "{}"),
    REQUEST(HEADERS, "3", "block.at", "[1]"),
    END,
};

static const struct line lives[] = {
    REQUEST(LINES, "1", "heap.create", "{\"name\":\"mine\",\"lifetime\":\"session\"}"),
    REQUEST(LINES, "2", "block.alloc", "{\"heap\":\"mine\",\"size\":100,\"name\":\"x\",\"data\":\"AAAA\"}"),
    REQUEST(LINES, "3", "block.hold", "[\"b\"]"),
    REQUEST(HEADERS, "1", "block.hold", "[\"x\"]"),
    REQUEST(HEADERS, "2", "block.release", "[\"b\"]"),
    REQUEST(HEADERS, "3", "block.change", "{\"block\":\"x\",\"name\":\"y\",\"lifetime\":\"session\"}"),
    REQUEST(LINES, "4", "block.list", "{}"),
    REQUEST(LINES, "5", "heap.list", "{}"),
    REQUEST(LINES, "6", "session.list", "{}"),
    REQUEST(LINES, "7", "rpc.discover", "{}"),
    REQUEST(HEADERS, "4", "block.set",
            "{\"block\":\"b\",\"offset\":0,\"values\":[1,2,3,4,5,6,7,8],\"type\":\"f64\"}"),
    REQUEST(HEADERS, "5", "block.get", "{\"block\":\"b\",\"offset\":0,\"count\":1000}"),
    REQUEST(HEADERS, "6", "session.close", "[1]"),
    REQUEST(HEADERS, "7", "server.stats", "{}"),
    END,
};

static const struct line nonsense[] = {
    {LINES, "{\"id\":1", 0},
    {LINES, "{\"id\":1,\"method\":\"no.such\"}", 0},
    {LINES, "{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"server.ping\"}", 0},
    REQUEST(LINES, "2", "block.read", "{\"block\":\"b\",\"offset\":99999999}"),
    REQUEST(LINES, "3", "block.read", "{\"block\":5,\"nothing\":\"of the kind\"}"),
    REQUEST(LINES, "4", "block.write", "{\"block\":\"b\",\"data\":\"!!!!\"}"),
    {LINES, "{\"jsonrpc\":\"2.0\",\"method\":\"server.ping\"}", 0},
    END,
};

const struct scenario scenarios[] = {
    {"raw bytes", prepare, raw_bytes},   {"batches", prepare, batches},
    {"puts", prepare, published},        {"watches", prepare, watches},
    {"waits", prepare, waits},           {"locks", prepare, locks},
    {"long calls", prepare, long_calls}, {"lives", prepare, lives},
    {"nonsense", prepare, nonsense},     {NULL, NULL, NULL},
};
