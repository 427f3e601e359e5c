// Measures the library beside StackExchange.Redis, and a mapped block beside a managed array, in one run:
//
//     dotnet run -c Release --project client/dotnet/Umem.Bench -- REDIS-SOCKET
//
// UMEM_PIPE names the daemon. The two take turns, so that both have the same machine; each figure is the median of the rounds.
// CPU is what this process spent for one call, which tells more where other programs keep the machine busy.
using System.Diagnostics;
using StackExchange.Redis;
using Umem;

const int Rounds = 9;
const int Calls = 5_000;
const int Bytes = 1 << 20;

using UmemClient client = UmemClient.Connect();
var options = new ConfigurationOptions { AbortOnConnectFail = true };
options.EndPoints.Add(new System.Net.Sockets.UnixDomainSocketEndPoint(args[0]));
using ConnectionMultiplexer multiplexer = ConnectionMultiplexer.Connect(options);
IDatabase redis = multiplexer.GetDatabase();

byte[] bytes = new byte[64];
long block = client.BlockAlloc(64, new BlockAllocOptions { Lifetime = Lifetime.Session }).Block;
redis.StringSet("block", bytes);

void Read() => client.BlockRead(block, 0, bytes, 0, 64);
void Get() => bytes = (byte[])redis.StringGet("block")!;
Compare("read of 64 bytes", Calls, "calls/s", Read, "StackExchange.Redis", Get);

async Task ReadAll(int calls) =>
    await Task.WhenAll(Enumerable.Range(0, calls).Select(_ => client.BlockReadAsync(block, 0, 64)));
async Task GetAll(int calls) => await Task.WhenAll(Enumerable.Range(0, calls).Select(_ => redis.StringGetAsync("block")));
Compare("64 bytes, 100 reads awaited together", Calls / 100, "x 100 calls/s", () => ReadAll(100).Wait(), "StackExchange.Redis",
        () => GetAll(100).Wait());

long heap = client.HeapCreate(new HeapCreateOptions
{
    Kind = HeapKind.Shared,
    MaximumSize = 2 * Bytes,
    Lifetime = Lifetime.Session,
}).Heap;
using MappedBlock mapped = client.Map(client.BlockAlloc(Bytes, new BlockAllocOptions { Heap = heap }).Block);
byte[] array = new byte[Bytes];
long sum = 0;
Compare("indexing 1 MiB, mapped", 20, "passes/s", () => sum += SumMapped(mapped), "a managed array", () => sum += SumArray(array));
Compare("the same by its span", 20, "passes/s", () => sum += SumSpan(mapped.Span), "a managed array", () => sum += SumArray(array));
return sum == 0 ? 0 : 1;

static long SumMapped(MappedBlock mapped)
{
    long sum = 0;
    for (long i = 0; i < mapped.Size; i++)
        sum += mapped[i];
    return sum;
}

static long SumArray(byte[] array)
{
    long sum = 0;
    for (int i = 0; i < array.Length; i++)
        sum += array[i];
    return sum;
}

static long SumSpan(ReadOnlySpan<byte> span)
{
    long sum = 0;
    for (int i = 0; i < span.Length; i++)
        sum += span[i];
    return sum;
}

static void Compare(string what, int count, string unit, Action ours, string other, Action theirs)
{
    var ourRates = new List<double>();
    var theirRates = new List<double>();
    var ourCpu = new List<double>();
    var theirCpu = new List<double>();
    // Once for the compiler.
    Rate(count, ours);
    Rate(count, theirs);
    for (int round = 0; round < Rounds; round++)
    {
        (double rate, double cpu) = Rate(count, ours);
        ourRates.Add(rate);
        ourCpu.Add(cpu);
        (rate, cpu) = Rate(count, theirs);
        theirRates.Add(rate);
        theirCpu.Add(cpu);
    }
    double our = Median(ourRates);
    double their = Median(theirRates);
    Console.WriteLine($"{what,-38} {our,12:N0} {unit,-14} {other}: {their,12:N0}  ratio {our / their:N2}  " +
                      $"CPU {Median(ourCpu):N1} and {Median(theirCpu):N1} us");
}

static (double Rate, double CpuUs) Rate(int count, Action action)
{
    TimeSpan cpu = Environment.CpuUsage.TotalTime;
    long start = Stopwatch.GetTimestamp();
    for (int i = 0; i < count; i++)
        action();
    double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
    return (count / seconds, (Environment.CpuUsage.TotalTime - cpu).TotalMicroseconds / count);
}

static double Median(List<double> values)
{
    values.Sort();
    return values[values.Count / 2];
}
