/* client/cpp/umem.hpp against a daemon: what is owned ends with its object, failures are exceptions, bytes and numbers go both ways. */
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <umem.hpp>
#include <vector>

static int failures;

#define CHECK(condition) \
    do { \
        if (!(condition)) { \
            std::fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
            failures++; \
        } \
    } while (false)

/* The code that a call throws; UMEM_OK: it does not. */
template <typename Call> static int thrown_by(Call call)
{
    try {
        call();
        return UMEM_OK;
    } catch (const umem::error &error) {
        CHECK(error.name() == umem_error_name(error.code()));
        CHECK(error.what()[0] != '\0' && error.data()[0] == '{');
        return error.code();
    }
}

static void test_bytes_and_numbers(const umem::client &daemon)
{
    const umem::unique_block owned = daemon.alloc_unique(64, {"numbers"});
    const umem::block block = daemon.find("numbers");
    const std::array<std::uint8_t, 4> bytes = {1, 2, 3, 4};
    std::array<std::uint8_t, 4> back = {};
    std::int32_t expected = 5;

    CHECK(owned->handle() == block.handle() && block.size() == 64 && block.name() == "numbers");
    block.write(3, bytes);
    block.read(3, back);
    CHECK(back == bytes);
    CHECK(block.read(3, 2) == (std::vector<std::byte>{std::byte{1}, std::byte{2}}));
    block.write(0, std::string_view("text"));
    CHECK(block.find(std::string_view("xt")) == 2);
    CHECK(block.find(std::string_view("nowhere")) == UMEM_NONE);

    block.set<std::uint32_t>(0, 0x04030201);
    CHECK(block.get<std::uint8_t>(0, 4) == (std::vector<std::uint8_t>{1, 2, 3, 4}));
    block.set(8, std::vector<double>{1.5, -2.5});
    CHECK(block.get<double>(16) == -2.5);
    block.set<std::int32_t>(32, 5);
    CHECK(block.add<std::int32_t>(32, -7) == -2);
    CHECK(!block.compare_exchange<std::int32_t>(32, expected, 9) && expected == -2);
    CHECK(block.compare_exchange<std::int32_t>(32, expected, 9) && block.get<std::int32_t>(32) == 9);
    CHECK(block.exchange<std::int32_t>(32, 1) == 9);
    CHECK(block.wait<std::int32_t>(32, 9) == 1);
    CHECK(thrown_by([&] { block.wait<std::int32_t>(32, 1, 0); }) == UMEM_E_TIMEOUT);

    const umem::unique_block other = daemon.alloc_unique(64);
    block.copy_to(other.get());
    CHECK(block.compare(other.get()) == UMEM_NONE);
    other->fill(7, 60);
    CHECK(block.compare(other.get()) == 60);
    other->resize(128);
    CHECK(other->size() == 128);
}

static void test_ownership(umem::client &daemon)
{
    umem_handle handle;

    {
        umem::unique_block first = daemon.alloc_unique(1);
        umem::unique_block second = std::move(first);

        CHECK(!first && second);
        handle = second->handle();
        first = daemon.alloc_unique(1);
        first = std::move(second); /* what first had is freed */
        CHECK(daemon.process_heap().blocks().size() == 1);
    }
    CHECK(thrown_by([&] { umem::block(daemon.get(), handle).size(); }) == UMEM_E_STALE_HANDLE);

    umem::unique_block released = daemon.alloc_unique(1);
    const umem::block block(daemon.get(), released.release());
    released.reset();
    CHECK(block.size() == 1);
    block.free();

    {
        const umem::unique_heap heap = daemon.create_unique_heap({"mine"});
        const umem::unique_block in_heap = heap->alloc_unique(8);

        CHECK(daemon.find_heap("mine").handle() == heap->handle());
        CHECK(in_heap->info().heap == heap->handle() && heap->blocks().size() == 1);
        heap->validate();
        heap->compact();
        heap->destroy(); /* the objects then end what is gone, which nobody hears of */
    }
    CHECK(thrown_by([&] { daemon.find_heap("mine"); }) == UMEM_E_UNKNOWN_HANDLE);
}

static void test_locks_and_holds(const umem::client &daemon)
{
    umem::client other(daemon.pipe());
    const umem::unique_heap heap = daemon.create_unique_heap();
    const umem::unique_block block = heap->alloc_unique(8);
    const umem::block seen(other.get(), block->handle());

    {
        const umem::heap_lock lock = heap->lock();

        CHECK(lock && thrown_by([&] { seen.get<std::uint8_t>(0); }) == UMEM_E_LOCKED);
        CHECK(thrown_by([&] { umem::heap(other.get(), heap->handle()).lock(0); }) == UMEM_E_LOCKED);
    }
    CHECK(seen.get<std::uint8_t>(0) == 0);
    {
        umem::hold hold = seen.hold();

        CHECK(block->info().holders == 2);
        hold.reset();
        CHECK(block->info().holders == 1);
    }
}

static void test_watches(const umem::client &daemon)
{
    const umem::unique_block block = daemon.alloc_unique(8);
    std::vector<umem::event> events;
    umem::watch watch = block->watch([&](const umem::event &event) { events.push_back(event); });

    block->set<std::uint16_t>(2, 1);
    CHECK(daemon.poll() == 1);
    CHECK(events.size() == 1 && events[0].kind == UMEM_EVENT_CHANGED && events[0].offset == 2 &&
          events[0].size == 2);
    watch.reset();
    block->set<std::uint16_t>(2, 2);
    CHECK(daemon.poll(0) == 0);
}

static void test_mapping(const umem::client &daemon)
{
    umem::heap_options options;

    options.kind = UMEM_HEAP_SHARED;
    options.maximum_size = 65536;
    const umem::unique_heap heap = daemon.create_unique_heap(options);
    const umem::unique_block block = heap->alloc_unique(10);
    umem::mapping mapped = block->map();

    CHECK(mapped.size() == 10 && mapped.as<std::uint32_t>().size() == 2);
    mapped.as<std::uint32_t>()[1] = 0x01010101;
    CHECK(block->get<std::uint8_t>(7) == 1);
    umem::mapping moved = std::move(mapped);
    CHECK(!mapped && moved.data()[7] == std::byte{1});
    CHECK(thrown_by([&] { daemon.alloc_unique(8)->map(); }) == UMEM_E_UNSUPPORTED);
}

static void test_the_daemon(umem::client &daemon)
{
    umem::client elsewhere(std::move(daemon));

    CHECK(elsewhere.is_connected());
    elsewhere.ping();
    CHECK(std::string(elsewhere.info()->name) == "umemd");
    CHECK(elsewhere.stats().blocks == 0);
    CHECK(!elsewhere.methods().empty() && elsewhere.methods()[0].calls != 0);
    CHECK(elsewhere.call("block.alloc", R"({"size": 3, "name": "json"})").find("\"block\"") !=
          std::string::npos);
    elsewhere.find("json").free();
    CHECK(thrown_by([&] { elsewhere.call("no.method"); }) == UMEM_E_METHOD_NOT_FOUND);
    CHECK(thrown_by([&] { umem::client nobody(elsewhere.pipe() + ".none"); }) == UMEM_E_NOT_CONNECTED);
    try {
        elsewhere.find(std::string("a\0b", 3));
        CHECK(false); /* a NUL in a name */
    } catch (const std::invalid_argument &) {
    }
    daemon = std::move(elsewhere);
}

int main()
{
    try {
        umem::client daemon;

        test_bytes_and_numbers(daemon);
        test_ownership(daemon);
        test_locks_and_holds(daemon);
        test_watches(daemon);
        test_mapping(daemon);
        test_the_daemon(daemon);
        CHECK(daemon.stats().blocks == 0 && daemon.heaps().size() == 1);
    } catch (const std::exception &error) {
        std::fprintf(stderr, "%s\n", error.what());
        return EXIT_FAILURE;
    }
    return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
