using System;
using System.Collections.Generic;
using System.IO;
using System.IO.Pipes;
using System.Net.Sockets;
using System.Text;
using System.Threading;
using System.Threading.Tasks;
using Xunit;

namespace Umem.Tests;

/// <summary>No daemon, one that ends, and one that does what no daemon does.</summary>
public class LossTests
{
    [Fact]
    public void NobodyListens()
    {
        string pipe = Daemon.NewPipe();
        var missing = Assert.Throws<UmemConnectionException>(() => UmemClient.Connect(pipe));
        Assert.Contains(pipe, missing.Message);
        Assert.Throws<ArgumentException>(() => UmemClient.Connect(Daemon.IsWindows ? @"\\host\pipe\x" : "/" + new string('x', 200)));
        Assert.Throws<ArgumentOutOfRangeException>(() => UmemClient.Connect(new UmemClientOptions { Timeout = TimeSpan.Zero }));
    }

    [Fact]
    public void ADaemonThatEndsIsReportedAndStaysSo()
    {
        using var daemon = new Daemon();
        using UmemClient client = daemon.ConnectHere();
        var lost = new ManualResetEventSlim();
        Watch watch = client.SessionWatch();
        watch.Lost += (_, _) => lost.Set();
        watch.Start();
        Task<int> waiting = client.BlockWaitAsync(client.BlockAlloc(4).Block, 0, 0, null);
        client.ServerPing();
        daemon.Kill();
        Assert.ThrowsAny<UmemConnectionException>(() => client.ServerPing());
        Assert.False(client.IsConnected);
        Assert.ThrowsAny<UmemConnectionException>(() => client.ServerPing());
        Assert.ThrowsAny<UmemConnectionException>(() => waiting.GetAwaiter().GetResult());
        Assert.True(lost.Wait(60_000));
        watch.Dispose();
    }

    [Fact]
    public void AClientThatWasDisposedOfSaysSo()
    {
        UmemClient client = Daemon.Connect();
        client.Dispose();
        client.Dispose();
        Assert.False(client.IsConnected);
        Assert.Throws<ObjectDisposedException>(() => client.ServerPing());
    }

    [Fact]
    public void DisposingEndsCallsOfOtherThreads()
    {
        UmemClient client = Daemon.Connect();
        long block = client.BlockAlloc(4, new BlockAllocOptions { Lifetime = Lifetime.Session }).Block;
        Task waiting = Task.Run(() => client.BlockWait(block, 0, 0));
        client.ServerPing();
        client.Dispose();
        Assert.ThrowsAny<Exception>(() => waiting.GetAwaiter().GetResult());
    }

    [Fact]
    public void ASessionThatOthersCloseIsLost()
    {
        using UmemClient client = Daemon.Connect();
        using UmemClient other = Daemon.Connect();
        long session = client.SessionInfo().Session;
        other.SessionClose(session);
        Exception? failure = null;
        // The daemon gives it time to take its answers.
        for (int i = 0; i < 10_000 && failure == null; i++)
            failure = Record.Exception(() => client.ServerPing());
        Assert.IsAssignableFrom<UmemConnectionException>(failure);
    }

    [Fact]
    public void AConnectionThatIsNotServedSaysWhy()
    {
        using var daemon = new Daemon("--limit sessions=1");
        using UmemClient first = daemon.ConnectHere();
        first.ServerPing();
        // What the daemon says is read if it came before the connection was found closed.
        Exception? refused = Record.Exception(() =>
        {
            using UmemClient second = daemon.ConnectHere();
            second.ServerPing();
        });
        Assert.True(refused is UmemLimitExceededException { Limit: "sessions" } or UmemConnectionException, $"{refused}");
        first.ServerPing();
    }

    [Fact]
    public void AnotherUsersServerGetsNothing()
    {
        // Only root can be another user, too.
        if (Daemon.IsWindows || Environment.UserName != "root" || !File.Exists("/usr/bin/python3"))
            return;
        string pipe = Daemon.NewPipe();
        string code = "import os,socket; s=socket.socket(socket.AF_UNIX); " +
                      $"os.setuid(65534); s.bind('{pipe}'); s.listen(); print('ready', flush=True); " +
                      "c,_=s.accept(); print(len(c.recv(100)), flush=True)";
        using var server = new System.Diagnostics.Process
        {
            StartInfo = new System.Diagnostics.ProcessStartInfo("/usr/bin/python3", $"-c \"{code}\"")
            {
                UseShellExecute = false,
                RedirectStandardOutput = true,
            },
        };
        server.Start();
        Assert.Equal("ready", server.StandardOutput.ReadLine());
        Assert.Throws<UmemNotTrustedException>(() => UmemClient.Connect(pipe));
        Assert.Equal("0", server.StandardOutput.ReadLine());
        server.WaitForExit();
        File.Delete(pipe);
    }

    [Fact]
    public void AShutDownDaemonAnswers()
    {
        using var daemon = new Daemon();
        using UmemClient client = daemon.ConnectHere();
        client.ServerShutdown();
    }

#if NET
    /// <summary>A server that reads one request and then does as it is told.</summary>
    private static async Task Serve(string pipe, TaskCompletionSource listening, Func<Stream, Task> serve)
    {
        using var server = new NamedPipeServerStream(Daemon.IsWindows ? pipe.Substring(@"\\.\pipe\".Length) : pipe,
                                                     PipeDirection.InOut, 1, PipeTransmissionMode.Byte,
                                                     PipeOptions.Asynchronous, 65_536, 65_536);
        listening.SetResult();
        await server.WaitForConnectionAsync();
        byte[] request = new byte[1000];
        if (await server.ReadAsync(request) != 0)
            await serve(server);
    }

    private static async Task With(Func<Stream, Task> serve, Action<UmemClient> test, TimeSpan? timeout = null)
    {
        string pipe = Daemon.NewPipe();
        var listening = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Task server = Task.Run(() => Serve(pipe, listening, serve));
        await listening.Task;
        using (UmemClient client = UmemClient.Connect(new UmemClientOptions
        {
            Pipe = pipe,
            Timeout = timeout ?? TimeSpan.FromSeconds(60),
            AnswerBytesMax = 10_000,
        }))
        {
            await Task.Run(() => test(client));
        }
        await server;
    }

    private static ValueTask Send(Stream stream, string text) => stream.WriteAsync(Encoding.UTF8.GetBytes(text));

    private static string Message(string json, string payload = "") => $"Content-Length: {json.Length}\r\n" +
        (payload != "" ? $"Payload-Length: {payload.Length}\r\n" : "") + $"\r\n{json}{payload}";

    public static TheoryData<string> Nonsense => new()
    {
        "HTTP/1.1 400 Bad Request\r\n\r\n",
        "Content-Length: x\r\n\r\n{}",
        "Content-Length: -1\r\n\r\n{}",
        "Content-Length: 99999999\r\n\r\n{",
        new string('x', 20_000),
        "{\"jsonrpc\":\"2.0\"}\n",
        Message("[]"),
        Message("{}"),
        Message("nonsense"),
        Message("{\"id\":1,\"result\":{\"heap\":\"seven\"}}"),
        Message("{\"id\":1,\"result\":{}}"),
        Message("{\"id\":1,\"result\":[]}"),
        Message("{\"id\":1,\"error\":5}"),
        Message("{\"id\":2,\"result\":{\"heap\":7}}"),
        Message("{\"id\":1,\"result\":{\"heap\":7}}", "raw bytes"),
        Message("{\"method\":\"block.changed\",\"params\":{}}", "raw"),
    };

    [Theory]
    [MemberData(nameof(Nonsense))]
    public async Task WhatIsNoAnswerIsABadAnswer(string bytes) => await With(
        async stream => await Send(stream, bytes),
        client => Assert.Throws<UmemBadAnswerException>(() => client.HeapProcess()));

    [Theory]
    [InlineData("")]
    [InlineData("Content-Le")]
    [InlineData("Content-Length: 10\r\n\r\n{\"id\"")]
    public async Task AnAnswerThatIsCutOffIsALostConnection(string bytes) => await With(
        async stream => await Send(stream, bytes),
        client =>
        {
            Assert.Throws<UmemConnectionException>(() => client.HeapProcess());
            Assert.False(client.IsConnected);
        });

    [Fact]
    public async Task AnAnswerComesInAnyPieces()
    {
        string bytes = Message("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"size\":4}}", "abcd");
        await With(
            async stream =>
            {
                foreach (char character in bytes)
                    await Send(stream, character.ToString());
            },
            client => Assert.Equal("abcd", Encoding.ASCII.GetString(client.BlockRead(5, 0, 4))));
    }

    [Fact]
    public async Task OtherRawBytesThanWereAskedForAreABadAnswer() => await With(
        async stream => await Send(stream, Message("{\"id\":1,\"result\":{\"size\":4}}", "abcdefgh")),
        client => Assert.Throws<UmemBadAnswerException>(() => client.BlockRead(5, 0, 4)));

    public static TheoryData<string> BadBatchAnswers => new()
    {
        Message("{\"id\":1,\"result\":{\"size\":4}}", "abcd"),
        Message("[{\"id\":1,\"result\":{\"size\":4}}]", "abcd"),
        Message("[{\"id\":1,\"result\":{\"size\":4}},{\"id\":2,\"result\":{}},{\"id\":3,\"result\":{}}]", "abcd"),
        Message("[{\"id\":2,\"result\":{}},{\"id\":1,\"result\":{\"size\":4}}]", "abcd"),
        Message("[{\"id\":1,\"result\":{\"size\":4}},5]", "abcd"),
        Message("[5,{\"id\":2,\"result\":{}}]", "abcd"),
        Message("[{\"id\":1,\"result\":{\"size\":4}},{\"id\":2}]", "abcd"),
        Message("[{\"id\":1,\"result\":{\"size\":4}},{\"id\":2,\"error\":5}]", "abcd"),
        Message("[{\"id\":1,\"result\":{\"size\":4}},{\"id\":2,\"result\":{}}]", "abc"),
        Message("[{\"id\":1,\"result\":{\"size\":4}},{\"id\":2,\"result\":{}}]", "abcde"),
        Message("[{\"id\":1,\"result\":{\"size\":3}},{\"id\":2,\"result\":{}}]", "abc"),
        Message("[{\"id\":1,\"result\":{\"size\":-4}},{\"id\":2,\"result\":{}}]", "abcd"),
        Message("[{\"id\":1,\"result\":[]},{\"id\":2,\"result\":{}}]", "abcd"),
        Message("[{\"id\":1,\"result\":{\"size\":4}},{\"id\":2,\"result\":{}}", "abcd"),
    };

    [Theory]
    [MemberData(nameof(BadBatchAnswers))]
    public async Task WhatDoesNotAnswerABatchIsABadAnswer(string bytes) => await With(
        async stream => await Send(stream, bytes),
        client =>
        {
            UmemCalls batch = client.Batch();
            UmemReply<byte[]> read = batch.BlockRead(5, 0, 4);
            UmemReply ping = batch.ServerPing();
            Assert.Throws<UmemBadAnswerException>(() => batch.Send(throwError: false));
            Assert.IsType<UmemBadAnswerException>(read.Error);
            Assert.IsType<UmemBadAnswerException>(ping.Error);
        });

    [Fact]
    public void AFullQueueKeepsTheDeadline()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "pipes have no such queue");
        string pipe = Daemon.NewPipe();
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(pipe));
        listener.Listen(0);
        var options = new UmemClientOptions { Pipe = pipe, Timeout = TimeSpan.FromMilliseconds(50) };
        var clients = new List<UmemClient>();
        try
        {
            // It accepts nothing, and a few wait in its queue.
            Assert.Throws<UmemDeadlineException>(() =>
            {
                for (int i = 0; i < 16; i++)
                    clients.Add(UmemClient.Connect(options));
            });
        }
        finally
        {
            clients.ForEach(client => client.Dispose());
            File.Delete(pipe);
        }
    }

    [Fact]
    public async Task ALateAnswerIsPassedOver()
    {
        var hasFirst = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var late = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await With(
            async stream =>
            {
                hasFirst.SetResult();
                await late.Task;
                await Send(stream, Message("{\"id\":1,\"result\":{\"heap\":7}}"));
                Assert.NotEqual(0, await stream.ReadAsync(new byte[1000]));
                await Send(stream, Message("{\"id\":2,\"result\":{\"value\":8}}"));
            },
            client =>
            {
                Assert.Throws<UmemDeadlineException>(() => client.HeapProcess());
                Assert.True(client.IsConnected);
                // The server reads each of the two by itself.
                hasFirst.Task.GetAwaiter().GetResult();
                late.SetResult();
                // This one may take a minute more, by what it asks for.
                Assert.Equal(8, client.BlockWait(5, 0, 7, 60_000));
            },
            TimeSpan.FromMilliseconds(50));
    }

    [Fact]
    public async Task ASilentServerIsADeadline()
    {
        var end = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await With(
            async _ => await end.Task,
            client =>
            {
                Assert.Throws<UmemDeadlineException>(() => client.ServerPing());
                Assert.Throws<UmemDeadlineException>(() => client.ServerPingAsync().GetAwaiter().GetResult());
                // A lock might have been granted: it must not be left behind.
                Assert.True(client.IsConnected);
                // One that was not sent, because the thread that sends was held up, ends nothing.
                for (int i = 0; i < 100 && client.IsConnected; i++)
                    Assert.ThrowsAny<Exception>(() => client.HeapLock(5));
                Assert.False(client.IsConnected);
                end.SetResult();
            },
            TimeSpan.FromMilliseconds(50));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task AServerThatReadsNothingIsADeadlineAndTheEnd(bool isAwaited)
    {
        var end = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await With(
            async _ => await end.Task,
            client =>
            {
                byte[] bytes = new byte[10_000_000];
                // It reads one request, and no more.
                Assert.Throws<UmemDeadlineException>(() => client.ServerPing());
                var data = new BlockAllocOptions { Data = bytes };
                Assert.Throws<UmemDeadlineException>(() => isAwaited
                    ? client.BlockAllocAsync(bytes.Length, data).GetAwaiter().GetResult()
                    : client.BlockAlloc(bytes.Length, data));
                Assert.False(client.IsConnected);
                end.SetResult();
            },
            TimeSpan.FromMilliseconds(50));
    }

    [Fact]
    public async Task AnErrorThatTheLibraryDoesNotKnowIsAnError() => await With(
        async stream => await Send(stream, Message(
            "{\"id\":1,\"error\":{\"code\":-32099,\"message\":\"new\",\"data\":{\"name\":\"brand_new\",\"used\":3}}}")),
        client =>
        {
            var error = Assert.Throws<UmemException>(() => client.ServerPing());
            Assert.Equal(("brand_new", -32099, 3L, "new"), (error.Name, error.Code, error.Used, error.Message));
        });
#endif
}
