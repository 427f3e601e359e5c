/* A session with jsonrpc-glib, on headers. The daemon's pipe is in UMEM_PIPE. */
#include <gio/gunixsocketaddress.h>
#include <jsonrpc-glib.h>

/* Takes both, as the library's own example does; NULL if the daemon refused. */
static GVariant *call(JsonrpcClient *client, const char *method, GVariant *params, GError **error)
{
    GVariant *result = NULL;

    jsonrpc_client_call(client, method, params, NULL, &result, error);
    return result;
}

static GVariant *must(JsonrpcClient *client, const char *method, GVariant *params)
{
    GError *error = NULL;
    GVariant *result = call(client, method, params, &error);

    if (result == NULL)
        g_error("%s: %s", method, error->message);
    return result;
}

static gint64 integer(GVariant *result, const char *name)
{
    gint64 value = 0;

    if (!g_variant_lookup(result, name, "x", &value))
        g_error("no integer \"%s\" in the result", name);
    g_variant_unref(result);
    return value;
}

/* The library hands an error on as the text of a variant: {'code': <int64 -32003>, ..., 'data': <{'name': <...>, ...}>}. */
static void must_refuse(JsonrpcClient *client, const char *method, GVariant *params, gint64 code,
                        const char *name)
{
    GError *error = NULL;
    GVariant *result = call(client, method, params, &error);
    GVariant *facts;
    GVariant *data;
    const char *found_name = NULL;
    gint64 found_code = 0;

    g_assert_null(result);
    facts = g_variant_parse(G_VARIANT_TYPE_VARDICT, error->message, NULL, NULL, NULL);
    g_assert_nonnull(facts);
    g_assert_true(g_variant_lookup(facts, "code", "x", &found_code));
    g_assert_cmpint(found_code, ==, code);
    data = g_variant_lookup_value(facts, "data", G_VARIANT_TYPE_VARDICT);
    g_assert_true(g_variant_lookup(data, "name", "&s", &found_name));
    g_assert_cmpstr(found_name, ==, name);
    g_variant_unref(data);
    g_variant_unref(facts);
    g_error_free(error);
}

static GVariant *range(gint64 block, gint64 offset, gint64 size)
{
    return JSONRPC_MESSAGE_NEW("block", JSONRPC_MESSAGE_PUT_INT64(block), "offset",
                               JSONRPC_MESSAGE_PUT_INT64(offset), "size", JSONRPC_MESSAGE_PUT_INT64(size),
                               "encoding", JSONRPC_MESSAGE_PUT_STRING("utf8"));
}

static void on_notification(JsonrpcClient *client, const char *method, GVariant *params, gpointer heard)
{
    (void)client;
    (void)params;
    if (g_str_equal(method, "block.changed"))
        ++*(int *)heard;
}

static void session(JsonrpcClient *client)
{
    int heard = 0;
    GVariant *result;
    const char *data = NULL;
    gint64 block;

    g_signal_connect(client, "notification", G_CALLBACK(on_notification), &heard);
    g_variant_unref(must(client, "server.ping", NULL));
    block = integer(must(client, "block.alloc",
                         JSONRPC_MESSAGE_NEW("size", JSONRPC_MESSAGE_PUT_INT64(8), "lifetime",
                                             JSONRPC_MESSAGE_PUT_STRING("session"))),
                    "block");
    result = must(client, "block.write",
                  JSONRPC_MESSAGE_NEW("block", JSONRPC_MESSAGE_PUT_INT64(block), "data",
                                      JSONRPC_MESSAGE_PUT_STRING("umem"), "encoding",
                                      JSONRPC_MESSAGE_PUT_STRING("utf8")));
    g_assert_cmpint(integer(result, "size"), ==, 4);
    result = must(client, "block.read", range(block, 0, 4));
    g_assert_true(g_variant_lookup(result, "data", "&s", &data));
    g_assert_cmpstr(data, ==, "umem");
    g_variant_unref(result);
    must_refuse(client, "block.read", range(block, 6, 4), -32003, "out_of_range");
    must_refuse(client, "block.frobnicate", NULL, -32601, "method_not_found");

    g_variant_unref(
        must(client, "session.watch", JSONRPC_MESSAGE_NEW("block", JSONRPC_MESSAGE_PUT_INT64(block))));
    g_assert_true(
        jsonrpc_client_send_notification(client, "block.fill",
                                         JSONRPC_MESSAGE_NEW("block", JSONRPC_MESSAGE_PUT_INT64(block),
                                                             "value", JSONRPC_MESSAGE_PUT_INT64('x')),
                                         NULL, NULL));
    result = must(client, "block.read", range(block, 0, 4));
    g_assert_true(g_variant_lookup(result, "data", "&s", &data));
    g_assert_cmpstr(data, ==, "xxxx");
    g_variant_unref(result);
    while (heard == 0)
        g_main_context_iteration(NULL, TRUE);
    g_assert_cmpint(
        integer(must(client, "block.free", JSONRPC_MESSAGE_NEW("block", JSONRPC_MESSAGE_PUT_INT64(block))),
                "size"),
        ==, 8);
    must_refuse(client, "block.free", JSONRPC_MESSAGE_NEW("block", JSONRPC_MESSAGE_PUT_INT64(block)), -32002,
                "stale_handle");
}

int main(void)
{
    GSocketAddress *address = g_unix_socket_address_new(g_getenv("UMEM_PIPE"));
    GSocketClient *sockets = g_socket_client_new();
    GError *error = NULL;
    GSocketConnection *pipe = g_socket_client_connect(sockets, G_SOCKET_CONNECTABLE(address), NULL, &error);
    JsonrpcClient *client;

    if (pipe == NULL)
        g_error("%s", error->message);
    client = jsonrpc_client_new(G_IO_STREAM(pipe));
    jsonrpc_client_start_listening(client);
    session(client);
    g_assert_true(jsonrpc_client_close(client, NULL, NULL));
    g_object_unref(client);
    g_object_unref(pipe);
    g_object_unref(sockets);
    g_object_unref(address);
    g_print("passed\n");
    return 0;
}
