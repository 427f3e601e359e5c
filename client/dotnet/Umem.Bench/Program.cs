// Measures the library beside StackExchange.Redis, and a mapped block beside a managed array:
//
//     dotnet run -c Release --project client/dotnet/Umem.Bench -- REDIS-SOCKET [--quick]
//
// UMEM_PIPE names the daemon; without REDIS-SOCKET, a Unix socket, what needs Redis is left out. A ratio is the time that the
// library takes, divided by that of what it is compared with: below 1 it is faster. --quick runs each once, to see that it works.
using System.Net.Sockets;
using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Engines;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using StackExchange.Redis;
using Umem;

bool isQuick = args.Contains("--quick");
string? socket = args.FirstOrDefault(word => word[0] != '-');
Environment.SetEnvironmentVariable(Calls.SocketVariable, socket);
// In this process: a benchmark needs no build of its own then.
Job job = (isQuick ? Job.Dry : Job.ShortRun).WithToolchain(InProcessEmitToolchain.Instance);
ManualConfig config = ManualConfig.CreateEmpty()
    .AddJob(job)
    .AddLogger(ConsoleLogger.Default)
    .AddColumnProvider(DefaultColumnProviders.Instance)
    .AddDiagnoser(MemoryDiagnoser.Default)
    .AddLogicalGroupRules(BenchmarkLogicalGroupRule.ByCategory)
    .WithArtifactsPath(Path.Combine(Path.GetTempPath(), "umem-bench"))
    .WithOptions(ConfigOptions.DisableLogFile);
Type[] all = socket == null ? [typeof(Mapped)] : [typeof(Calls), typeof(Mapped)];
bool hasFailed = false;
foreach (Type type in all)
{
    Summary summary = BenchmarkRunner.Run(type, config);
    hasFailed |= summary.HasCriticalValidationErrors || summary.Reports.Any(report => !report.Success);
}
return hasFailed ? 1 : 0;

/// <summary>Reads of 64 bytes, one after the other and many at a time.</summary>
public class Calls
{
    public const string SocketVariable = "UMEM_BENCH_REDIS";

    private const int Together = 100;

    private readonly byte[] bytes = new byte[64];
    private readonly Task[] tasks = new Task[Together];
    private UmemClient client = null!;
    private long block;
    private ConnectionMultiplexer multiplexer = null!;
    private IDatabase redis = null!;

    [GlobalSetup]
    public void SetUp()
    {
        client = UmemClient.Connect();
        block = client.BlockAlloc(64, new BlockAllocOptions { Lifetime = Lifetime.Session }).Block;
        var options = new ConfigurationOptions { AbortOnConnectFail = true };
        options.EndPoints.Add(new UnixDomainSocketEndPoint(Environment.GetEnvironmentVariable(SocketVariable)!));
        multiplexer = ConnectionMultiplexer.Connect(options);
        redis = multiplexer.GetDatabase();
        redis.StringSet("block", bytes);
    }

    [GlobalCleanup]
    public void CleanUp()
    {
        client.Dispose();
        multiplexer.Dispose();
    }

    [Benchmark]
    [BenchmarkCategory("one by one")]
    public void UmemRead() => client.BlockRead(block, 0, bytes, 0, 64);

    [Benchmark(Baseline = true)]
    [BenchmarkCategory("one by one")]
    public byte[] RedisGet() => (byte[])redis.StringGet("block")!;

    [Benchmark]
    [BenchmarkCategory("one by one, awaited")]
    public async Task UmemReadAsync() => await client.BlockReadAsync(block, 0, 64);

    [Benchmark(Baseline = true)]
    [BenchmarkCategory("one by one, awaited")]
    public async Task RedisGetAsync() => await redis.StringGetAsync("block");

    [Benchmark(OperationsPerInvoke = Together)]
    [BenchmarkCategory("100 awaited together")]
    public async Task UmemReadTogether()
    {
        for (int i = 0; i < Together; i++)
            tasks[i] = client.BlockReadAsync(block, 0, 64);
        await Task.WhenAll(tasks);
    }

    [Benchmark(Baseline = true, OperationsPerInvoke = Together)]
    [BenchmarkCategory("100 awaited together")]
    public async Task RedisGetTogether()
    {
        for (int i = 0; i < Together; i++)
            tasks[i] = redis.StringGetAsync("block");
        await Task.WhenAll(tasks);
    }
}

/// <summary>The sum of 1 MiB of bytes; no call is made.</summary>
public class Mapped
{
    private const int Size = 1 << 20;

    private readonly byte[] array = new byte[Size];
    private UmemClient client = null!;
    private MappedBlock mapped = null!;

    [GlobalSetup]
    public void SetUp()
    {
        client = UmemClient.Connect();
        var options = new HeapCreateOptions { Kind = HeapKind.Shared, MaximumSize = 2 * Size, Lifetime = Lifetime.Session };
        mapped = client.Map(client.BlockAlloc(Size, new BlockAllocOptions { Heap = client.HeapCreate(options).Heap }).Block);
    }

    [GlobalCleanup]
    public void CleanUp()
    {
        mapped.Dispose();
        client.Dispose();
    }

    [Benchmark]
    [BenchmarkCategory("indexing")]
    public long UmemIndexer()
    {
        long sum = 0;
        for (long i = 0; i < mapped.Size; i++)
            sum += mapped[i];
        return sum;
    }

    [Benchmark]
    [BenchmarkCategory("indexing")]
    public long UmemSpan()
    {
        ReadOnlySpan<byte> span = mapped.Span;
        long sum = 0;
        for (int i = 0; i < span.Length; i++)
            sum += span[i];
        return sum;
    }

    [Benchmark(Baseline = true)]
    [BenchmarkCategory("indexing")]
    public long Array()
    {
        long sum = 0;
        for (int i = 0; i < array.Length; i++)
            sum += array[i];
        return sum;
    }
}
