/*
 * The client library of umemd for C++17 and later: objects that free what they own, exceptions, spans.
 *
 * Owns: nothing of its own; it is a thin layer over umem_client.h, whose comments say what each call does. Must not know: the protocol.
 *
 *     umem::client daemon;
 *     umem::block block = daemon.alloc(64, {"numbers"});
 *
 *     block.set<std::uint32_t>(0, 42);
 *     std::uint32_t value = block.get<std::uint32_t>(0);
 *
 * Objects: a `block` or `heap` is a handle and the client that it is used with, like a pointer: it may be copied, and nothing ends with
 * it. A `unique_block`, `unique_heap`, `heap_lock`, `hold`, `mapping` or `watch` owns what it stands for: it may be moved, not
 * copied, and ends that when it is destroyed, where failures are ignored; reset() ends it sooner, and throws. The client must live longer than
 * all that came from it. A client may be moved only while nothing that came from it is left.
 *
 * Errors: every function that calls the daemon throws umem::error where the C function returns a code, and has then changed nothing that
 * the C function has not. std::bad_alloc where this program's memory runs out.
 *
 * Threads: as umem_client.h says. Objects other than the client are used by one thread at a time.
 */
#ifndef UMEM_HPP
#define UMEM_HPP

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "umem_client.h"

namespace umem
{

using block_info = struct ::umem_block_info;
using heap_info = struct ::umem_heap_info;
using server_info = struct ::umem_server_info;
using server_stats = struct ::umem_server_stats;
using method_stats = struct ::umem_method_stats;
using event = struct ::umem_event;

/* A failed call: what() is the message for people. */
class error : public std::runtime_error
{
  public:
    explicit error(const umem_failure &failure)
        : std::runtime_error(failure.message), code_(failure.code), name_(failure.name), data_(failure.data)
    {
    }

    /* Of umem_errors.h: UMEM_E_STALE_HANDLE. */
    int code() const noexcept
    {
        return code_;
    }

    /* Stable, for programs: "stale_handle". */
    const std::string &name() const noexcept
    {
        return name_;
    }

    /* The daemon's facts, a JSON object as text. */
    const std::string &data() const noexcept
    {
        return data_;
    }

  private:
    int code_;
    std::string name_;
    std::string data_;
};

/* So many objects from an address on, which somebody else owns: what std::span<T> is in C++20, and made of the same things. */
template <typename T> class span
{
  public:
    constexpr span() noexcept = default;

    constexpr span(T *data, std::size_t size) noexcept : data_(data), size_(size)
    {
    }

    template <std::size_t N> constexpr span(T (&array)[N]) noexcept : data_(array), size_(N)
    {
    }

    /* A std::vector, std::array, std::string, std::span: whatever has data() and size(). */
    template <typename Container,
              typename = std::enable_if_t<std::is_convertible_v<
                  std::remove_pointer_t<decltype(std::declval<Container &>().data())> (*)[], T (*)[]>>>
    constexpr span(Container &&container) : data_(container.data()), size_(container.size())
    {
    }

    constexpr T *data() const noexcept
    {
        return data_;
    }
    constexpr std::size_t size() const noexcept
    {
        return size_;
    }
    constexpr std::size_t size_bytes() const noexcept
    {
        return size_ * sizeof(T);
    }
    constexpr bool empty() const noexcept
    {
        return size_ == 0;
    }
    constexpr T &operator[](std::size_t index) const
    {
        return data_[index];
    }
    constexpr T *begin() const noexcept
    {
        return data_;
    }
    constexpr T *end() const noexcept
    {
        return data_ + size_;
    }

  private:
    T *data_ = nullptr;
    std::size_t size_ = 0;
};

template <typename T> span(T *, std::size_t) -> span<T>;

/* The type that a C++ number has in blocks. Bytes lie there little-endian, whatever the machine has. */
template <typename T> constexpr umem_type type_of()
{
    static_assert(std::is_arithmetic_v<T> && !std::is_same_v<T, bool> && sizeof(T) <= 8,
                  "a number of at most 64 bits");
    if constexpr (std::is_floating_point_v<T>)
        return sizeof(T) == 4 ? UMEM_TYPE_F32 : UMEM_TYPE_F64;
    else if constexpr (sizeof(T) == 1)
        return std::is_signed_v<T> ? UMEM_TYPE_I8 : UMEM_TYPE_U8;
    else if constexpr (sizeof(T) == 2)
        return std::is_signed_v<T> ? UMEM_TYPE_I16 : UMEM_TYPE_U16;
    else if constexpr (sizeof(T) == 4)
        return std::is_signed_v<T> ? UMEM_TYPE_I32 : UMEM_TYPE_U32;
    else
        return std::is_signed_v<T> ? UMEM_TYPE_I64 : UMEM_TYPE_U64;
}

namespace detail
{

/* Throws for the code of the thread's last call with this client. */
inline void check(umem_client *client, int code)
{
    if (code == UMEM_OK)
        return;
    const umem_failure &failure = *umem_last_error(client);

    if (code == UMEM_E_OUT_OF_MEMORY)
        throw std::bad_alloc();
    throw error(failure);
}

/* A NUL inside would cut the name short; the library cannot see that. */
inline const char *c_name(const std::string &name)
{
    if (name.find('\0') != std::string::npos)
        throw std::invalid_argument("umem: a name has a NUL in it");
    return name.c_str();
}

/* An exception that a callback threw, on its way through C. */
template <typename Info> struct visit {
    std::vector<Info> found;
    bool failed = false;

    static int add(const Info *info, void *context)
    {
        visit *self = static_cast<visit *>(context);

        try {
            self->found.push_back(*info);
            return 0;
        } catch (...) {
            self->failed = true;
            return 1;
        }
    }
};

} // namespace detail

/* How to allocate a block. */
struct block_options {
    std::string name{};                            /* empty: none */
    umem_handle heap = UMEM_PROCESS_HEAP;          /* or one that was created */
    umem_lifetime lifetime = UMEM_LIFETIME_SERVER; /* until it is freed */
    std::uint32_t flags = 0;                       /* of umem_flag */
};

/* How to create a heap. */
struct heap_options {
    std::string name{};                            /* empty: none */
    umem_heap_kind kind = UMEM_HEAP_PRIVATE;       /* or UMEM_HEAP_SHARED, with a maximum_size */
    std::uint64_t initial_size = 0;                /* bytes to commit at once */
    std::uint64_t maximum_size = 0;                /* bytes in all its blocks; 0: growable */
    std::uint32_t alignment = 0;                   /* bytes; 0: 16 */
    umem_lifetime lifetime = UMEM_LIFETIME_SERVER; /* until it is destroyed */
    std::uint32_t flags = 0;                       /* of umem_flag */
};

/* What owns something that is ended by one call: the base of the classes that do. `End` is called with the client and the value. */
template <typename Value, int (*End)(umem_client *, Value)> class owner
{
  public:
    owner() noexcept = default;
    owner(umem_client *client, Value value) noexcept : client_(client), value_(value)
    {
    }
    owner(owner &&other) noexcept : client_(std::exchange(other.client_, nullptr)), value_(other.value_)
    {
    }
    owner &operator=(owner &&other) noexcept
    {
        if (this != &other) {
            end();
            client_ = std::exchange(other.client_, nullptr);
            value_ = other.value_;
        }
        return *this;
    }
    owner(const owner &) = delete;
    owner &operator=(const owner &) = delete;
    ~owner()
    {
        end();
    }

    /* Whether there is something to end. */
    explicit operator bool() const noexcept
    {
        return client_ != nullptr;
    }

    /* Ends it now. Where that throws it has not been ended, and the object does not own it any more. */
    void reset()
    {
        umem_client *client = std::exchange(client_, nullptr);

        if (client != nullptr)
            detail::check(client, End(client, value_));
    }

    /* Owns it no more: it goes on. */
    Value release() noexcept
    {
        client_ = nullptr;
        return value_;
    }

  protected:
    umem_client *client_ = nullptr; /* NULL: owns nothing */
    Value value_{};

  private:
    void end() noexcept
    {
        if (client_ != nullptr)
            (void)End(client_, value_);
    }
};

namespace detail
{

inline umem_handle alloc(umem_client *client, std::uint64_t size, const block_options &options,
                         umem_handle heap)
{
    struct umem_block_options c = {};
    umem_handle handle = 0;

    c.heap = heap;
    c.flags = options.flags;
    c.name = options.name.empty() ? nullptr : c_name(options.name);
    c.lifetime = options.lifetime;
    check(client, umem_block_alloc(client, size, &c, &handle));
    return handle;
}

/* So that what is owned is used by ->. */
template <typename T> class arrow
{
  public:
    explicit arrow(T value) noexcept : value_(value)
    {
    }
    const T *operator->() const noexcept
    {
        return &value_;
    }

  private:
    T value_;
};

inline int end_hold(umem_client *client, umem_handle block)
{
    return umem_block_release(client, block, nullptr);
}

inline int end_heap(umem_client *client, umem_handle heap)
{
    return umem_heap_destroy(client, heap, nullptr, nullptr);
}

} // namespace detail

/* A session's hold on a block: it is not orphaned meanwhile. */
using hold = owner<umem_handle, detail::end_hold>;

/* A lock on a heap: other connections wait, or get UMEM_E_LOCKED. */
using heap_lock = owner<umem_handle, umem_heap_unlock>;

/* A watch. Its function is called by client::poll(). */
class watch
{
  public:
    using function = std::function<void(const event &)>;

    watch() noexcept = default;

    watch(umem_client *client, const umem_watch_target &target, function called)
        : called_(std::make_unique<function>(std::move(called)))
    {
        std::uint64_t id = 0;

        detail::check(client, umem_session_watch(client, &target, on_event, called_.get(), &id));
        owned_ = owner<std::uint64_t, umem_session_unwatch>(client, id);
    }

    /* Ends the watch now. */
    void reset()
    {
        owned_.reset();
        called_.reset();
    }

  private:
    /* Exceptions must not pass through C: what a watch's function throws ends the program, as from a thread. */
    static void on_event(const event *happened, void *context) noexcept
    {
        (*static_cast<function *>(context))(*happened);
    }

    std::unique_ptr<function> called_; /* before owned_, so that it is destroyed after it */
    owner<std::uint64_t, umem_session_unwatch> owned_;
};

/* The bytes of a block of a shared heap, as memory of this process. Undone with the object. */
class mapping : private owner<void *, umem_unmap>
{
  public:
    mapping() noexcept = default;
    mapping(umem_client *client, void *bytes, std::uint64_t size) noexcept : owner(client, bytes), size_(size)
    {
    }

    using owner::operator bool;
    using owner::reset;

    std::byte *data() const noexcept
    {
        return static_cast<std::byte *>(value_);
    }
    std::size_t size() const noexcept
    {
        return static_cast<std::size_t>(size_);
    }

    /* The bytes as objects of one type, as many as are there whole. Blocks start at multiples of 16 or of the heap's alignment. */
    template <typename T> span<T> as() const noexcept
    {
        static_assert(std::is_trivially_copyable_v<T>, "other programs see the bytes");
        return span<T>(static_cast<T *>(value_), size() / sizeof(T));
    }

  private:
    std::uint64_t size_ = 0;
};

/* What owns the thing behind a handle, and is used as a T by ->. */
template <typename T, int (*End)(umem_client *, umem_handle)> class unique : private owner<umem_handle, End>
{
    using base = owner<umem_handle, End>;

  public:
    unique() noexcept = default;
    unique(umem_client *client, umem_handle handle) noexcept : base(client, handle)
    {
    }

    using base::operator bool;
    using base::release;
    using base::reset;

    T get() const noexcept
    {
        return T(this->client_, this->value_);
    }

    detail::arrow<T> operator->() const noexcept
    {
        return detail::arrow<T>(get());
    }
};

/* A block: a handle, and the client that it is used with. */
class block
{
  public:
    block() noexcept = default;
    block(umem_client *client, umem_handle handle) noexcept : client_(client), handle_(handle)
    {
    }

    umem_handle handle() const noexcept
    {
        return handle_;
    }

    block_info info() const
    {
        block_info info{};

        check(umem_block_info(client_, handle_, &info));
        return info;
    }
    std::uint64_t size() const
    {
        return info().size;
    }
    std::string name() const
    {
        return info().name;
    }

    /* ---- bytes ---- */

    /* Reads objects as their bytes lie there. */
    template <typename T> void read(std::uint64_t offset, span<T> into) const
    {
        static_assert(std::is_trivially_copyable_v<T> && !std::is_const_v<T>, "bytes are read into it");
        check(umem_block_read(client_, handle_, offset, into.data(), into.size_bytes()));
    }
    template <typename Container>
    auto read(std::uint64_t offset, Container &into) const -> decltype(into.data(), void())
    {
        read(offset, span<std::remove_pointer_t<decltype(into.data())>>(into));
    }
    std::vector<std::byte> read(std::uint64_t offset, std::size_t size) const
    {
        std::vector<std::byte> bytes(size);

        read(offset, bytes);
        return bytes;
    }

    /* Writes the bytes of objects. */
    template <typename T> void write(std::uint64_t offset, span<T> from) const
    {
        static_assert(std::is_trivially_copyable_v<T>, "its bytes are written");
        check(umem_block_write(client_, handle_, offset, from.data(), from.size_bytes()));
    }
    template <typename Container>
    auto write(std::uint64_t offset, const Container &from) const -> decltype(from.data(), void())
    {
        write(offset, span<std::remove_pointer_t<decltype(from.data())>>(from));
    }

    void fill(std::uint8_t value, std::uint64_t offset = 0, std::uint64_t size = UMEM_TO_END) const
    {
        check(umem_block_fill(client_, handle_, offset, value, size));
    }
    /* Copies within the daemon. */
    void copy_to(const block &target, std::uint64_t size = UMEM_TO_END, std::uint64_t offset = 0,
                 std::uint64_t target_offset = 0) const
    {
        check(umem_block_copy(client_, handle_, offset, target.handle_, target_offset, size));
    }
    /* How many bytes are the same before one differs; UMEM_NONE where none does. */
    std::uint64_t compare(const block &other, std::uint64_t size = UMEM_TO_END, std::uint64_t offset = 0,
                          std::uint64_t other_offset = 0) const
    {
        std::uint64_t difference = UMEM_NONE;

        check(umem_block_compare(client_, handle_, offset, other.handle_, other_offset, size, &difference));
        return difference;
    }
    /* Where these bytes begin first; UMEM_NONE: nowhere. */
    template <typename T> std::uint64_t find(span<T> bytes, std::uint64_t offset = 0) const
    {
        std::uint64_t found = UMEM_NONE;

        check(umem_block_find(client_, handle_, offset, bytes.data(), bytes.size_bytes(), &found));
        return found;
    }
    template <typename Container>
    auto find(const Container &bytes, std::uint64_t offset = 0) const
        -> decltype(bytes.data(), std::uint64_t())
    {
        return find(span<std::remove_pointer_t<decltype(bytes.data())>>(bytes), offset);
    }

    /* ---- numbers: little-endian in the block, the machine's own here ---- */

    template <typename T> T get(std::uint64_t offset) const
    {
        T value{};

        check(umem_block_get(client_, handle_, offset, type_of<T>(), &value, 1));
        return value;
    }
    template <typename T> std::vector<T> get(std::uint64_t offset, std::size_t count) const
    {
        std::vector<T> values(count);

        check(umem_block_get(client_, handle_, offset, type_of<T>(), values.data(), count));
        return values;
    }
    template <typename T>
    auto set(std::uint64_t offset, T value) const -> std::enable_if_t<std::is_arithmetic_v<T>>
    {
        check(umem_block_set(client_, handle_, offset, type_of<T>(), &value, 1));
    }
    template <typename T> void set(std::uint64_t offset, span<T> values) const
    {
        check(umem_block_set(client_, handle_, offset, type_of<std::remove_const_t<T>>(), values.data(),
                             values.size()));
    }
    template <typename Container>
    auto set(std::uint64_t offset, const Container &values) const -> decltype(values.data(), void())
    {
        set(offset, span<std::remove_pointer_t<decltype(values.data())>>(values));
    }

    /* Adds, and returns what is there then. */
    template <typename T> T add(std::uint64_t offset, T value) const
    {
        T after{};

        check(umem_block_add(client_, handle_, offset, type_of<T>(), &value, nullptr, &after));
        return after;
    }
    /* Puts a number there, and returns what was there before. */
    template <typename T> T exchange(std::uint64_t offset, T value) const
    {
        T before{};

        check(umem_block_exchange(client_, handle_, offset, type_of<T>(), &value, nullptr, &before, nullptr));
        return before;
    }
    /* Puts a number there if `expected` is there, and returns whether it was; `expected` becomes what was there. */
    template <typename T> bool compare_exchange(std::uint64_t offset, T &expected, T value) const
    {
        bool exchanged = false;
        T before = expected;

        check(umem_block_exchange(client_, handle_, offset, type_of<T>(), &value, &expected, &before,
                                  &exchanged));
        expected = before;
        return exchanged;
    }
    /* Waits until the number is no longer `value`, and returns what it is then. UMEM_E_TIMEOUT. */
    template <typename T> T wait(std::uint64_t offset, T value, std::uint32_t timeout_ms = UMEM_FOREVER) const
    {
        T now{};

        check(umem_block_wait(client_, handle_, offset, type_of<T>(), &value, timeout_ms, &now));
        return now;
    }
    /* Notifies those that wait or watch, of what was written through a mapping. */
    void wake(std::uint64_t offset = 0, std::uint64_t size = UMEM_TO_END) const
    {
        check(umem_block_wake(client_, handle_, offset, size));
    }

    /* ---- the block itself ---- */

    void resize(std::uint64_t size, std::uint32_t flags = 0) const
    {
        check(umem_block_resize(client_, handle_, size, flags));
    }
    /* Empty: takes its name away. */
    void rename(const std::string &name) const
    {
        check(umem_block_change(client_, handle_, detail::c_name(name), nullptr, nullptr));
    }
    void set_lifetime(umem_lifetime lifetime) const
    {
        check(umem_block_change(client_, handle_, nullptr, &lifetime, nullptr));
    }
    umem::hold hold() const
    {
        check(umem_block_hold(client_, handle_, nullptr));
        return umem::hold(client_, handle_);
    }
    umem::mapping map() const
    {
        void *bytes = nullptr;
        std::uint64_t size = 0;

        check(umem_map(client_, handle_, &bytes, &size));
        return mapping(client_, bytes, size);
    }
    umem::watch watch(umem::watch::function called, std::uint64_t offset = 0,
                      std::uint64_t size = UMEM_TO_END) const
    {
        struct umem_watch_target target = {};

        target.block = handle_;
        target.offset = offset;
        target.size = size;
        return umem::watch(client_, target, std::move(called));
    }
    /* Its handle is stale from then on. */
    void free() const
    {
        check(umem_block_free(client_, handle_));
    }

  private:
    void check(int code) const
    {
        detail::check(client_, code);
    }

    umem_client *client_ = nullptr;
    umem_handle handle_ = 0;
};

/* A block that is freed with the object. */
using unique_block = unique<block, umem_block_free>;

/* A heap: a handle, and the client that it is used with. */
class heap
{
  public:
    heap() noexcept = default;
    heap(umem_client *client, umem_handle handle) noexcept : client_(client), handle_(handle)
    {
    }

    umem_handle handle() const noexcept
    {
        return handle_;
    }

    heap_info info() const
    {
        heap_info info{};

        check(umem_heap_info(client_, handle_, &info));
        return info;
    }
    /* On this heap, whatever the options say. */
    block alloc(std::uint64_t size, const block_options &options = {}) const
    {
        return block(client_, detail::alloc(client_, size, options, handle_));
    }
    unique_block alloc_unique(std::uint64_t size, const block_options &options = {}) const
    {
        return unique_block(client_, detail::alloc(client_, size, options, handle_));
    }

    /* Its blocks at the moment. */
    std::vector<block_info> blocks() const
    {
        detail::visit<block_info> visit;
        struct umem_block_filter filter = {};

        filter.heap = handle_;
        int code = umem_block_list(client_, &filter, detail::visit<block_info>::add, &visit);
        if (visit.failed)
            throw std::bad_alloc();
        check(code);
        return std::move(visit.found);
    }

    /* UMEM_E_TIMEOUT, or UMEM_E_LOCKED where timeout_ms is 0. */
    heap_lock lock(std::uint32_t timeout_ms = UMEM_FOREVER) const
    {
        check(umem_heap_lock(client_, handle_, timeout_ms));
        return heap_lock(client_, handle_);
    }
    void validate() const
    {
        check(umem_heap_validate(client_, handle_, 0));
    }
    /* Returns the largest free range in bytes; 0 where the system does not tell. */
    std::uint64_t compact() const
    {
        std::uint64_t largest_free = 0;

        check(umem_heap_compact(client_, handle_, &largest_free));
        return largest_free;
    }
    /* Returns when all that was written to a durable heap before is on the disk. */
    void flush() const
    {
        check(umem_heap_flush(client_, handle_));
    }
    void destroy() const
    {
        check(umem_heap_destroy(client_, handle_, nullptr, nullptr));
    }

  private:
    void check(int code) const
    {
        detail::check(client_, code);
    }

    umem_client *client_ = nullptr;
    umem_handle handle_ = 0;
};

/* A heap that is destroyed with the object, and all its blocks with it. */
using unique_heap = unique<heap, detail::end_heap>;

/* A connection to the daemon. */
class client
{
  public:
    /* Connects to the default pipe, see umem_default_pipe(). */
    client() : client(umem_options{})
    {
    }

    explicit client(const std::string &pipe) : client(with_pipe(detail::c_name(pipe)))
    {
    }

    explicit client(const umem_options &options) : client_(umem_client_new(&options))
    {
        if (client_ == nullptr)
            throw std::bad_alloc();
        connect();
    }

    /* For the C functions. */
    umem_client *get() const noexcept
    {
        return client_.get();
    }

    /* Again, after the connection was lost. */
    void connect()
    {
        check(umem_connect(get()));
    }
    bool is_connected() const noexcept
    {
        return umem_is_connected(get());
    }
    std::string pipe() const
    {
        return umem_pipe(get());
    }

    /* ---- the daemon ---- */

    void ping() const
    {
        check(umem_server_ping(get()));
    }
    struct free_info {
        void operator()(server_info *info) const noexcept
        {
            umem_free_server_info(info);
        }
    };
    std::unique_ptr<server_info, free_info> info() const
    {
        server_info *info = nullptr;

        check(umem_server_info(get(), &info));
        return std::unique_ptr<server_info, free_info>(info);
    }
    server_stats stats() const
    {
        server_stats stats{};

        check(umem_server_stats(get(), &stats));
        return stats;
    }
    /* The methods that were called. */
    std::vector<method_stats> methods() const
    {
        detail::visit<method_stats> visit;
        int code = umem_server_methods(get(), detail::visit<method_stats>::add, &visit);

        if (visit.failed)
            throw std::bad_alloc();
        check(code);
        return std::move(visit.found);
    }
    /* Has the daemon read its settings again; the report as JSON text. */
    std::string reload() const
    {
        return call("server.reload");
    }
    void shutdown() const
    {
        check(umem_server_shutdown(get()));
    }
    /* Any method, with its parameters and its result as JSON text. */
    std::string call(const std::string &method, const std::string &params_json = {}) const
    {
        struct free_text {
            void operator()(char *text) const noexcept
            {
                umem_free_text(text);
            }
        };
        char *text = nullptr;

        check(umem_call(get(), detail::c_name(method),
                        params_json.empty() ? nullptr : detail::c_name(params_json), &text));
        const std::unique_ptr<char, free_text> result(text);
        return result.get();
    }

    /* ---- heaps ---- */

    heap process_heap() const
    {
        umem_handle handle = 0;

        check(umem_heap_process(get(), &handle));
        return heap(get(), handle);
    }
    heap create_heap(const heap_options &options = {}) const
    {
        struct umem_heap_options c = {};
        umem_handle handle = 0;

        c.name = options.name.empty() ? nullptr : detail::c_name(options.name);
        c.kind = options.kind;
        c.initial_size = options.initial_size;
        c.maximum_size = options.maximum_size;
        c.alignment = options.alignment;
        c.lifetime = options.lifetime;
        c.flags = options.flags;
        check(umem_heap_create(get(), &c, &handle));
        return heap(get(), handle);
    }
    unique_heap create_unique_heap(const heap_options &options = {}) const
    {
        return unique_heap(get(), create_heap(options).handle());
    }
    heap find_heap(const std::string &name) const
    {
        umem_handle handle = 0;

        check(umem_heap_lookup(get(), detail::c_name(name), &handle));
        return heap(get(), handle);
    }
    std::vector<heap_info> heaps() const
    {
        detail::visit<heap_info> visit;
        int code = umem_heap_list(get(), detail::visit<heap_info>::add, &visit);

        if (visit.failed)
            throw std::bad_alloc();
        check(code);
        return std::move(visit.found);
    }

    /* ---- blocks ---- */

    block alloc(std::uint64_t size, const block_options &options = {}) const
    {
        return block(get(), detail::alloc(get(), size, options, options.heap));
    }
    unique_block alloc_unique(std::uint64_t size, const block_options &options = {}) const
    {
        return unique_block(get(), detail::alloc(get(), size, options, options.heap));
    }
    /* The block that has this name. UMEM_E_UNKNOWN_HANDLE. */
    block find(const std::string &name) const
    {
        umem_handle handle = 0;

        check(umem_block_lookup(get(), detail::c_name(name), &handle));
        return block(get(), handle);
    }

    /* ---- watches ---- */

    umem::watch watch(umem::watch::function called, const umem_watch_target &target = {}) const
    {
        return umem::watch(get(), target, std::move(called));
    }
    /* Calls the functions of watches for what has come; where nothing has, waits for some. Returns for how many events. */
    std::size_t poll(std::uint32_t timeout_ms = UMEM_FOREVER) const
    {
        std::size_t delivered = 0;

        check(umem_poll(get(), timeout_ms, &delivered));
        return delivered;
    }

  private:
    struct free_client {
        void operator()(umem_client *client) const noexcept
        {
            umem_client_free(client);
        }
    };

    static umem_options with_pipe(const char *pipe)
    {
        struct umem_options options = {};

        options.pipe = pipe;
        return options;
    }

    void check(int code) const
    {
        detail::check(get(), code);
    }

    std::unique_ptr<umem_client, free_client> client_;
};

} // namespace umem

#endif
