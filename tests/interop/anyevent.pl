# A session with Perl's AnyEvent::Handle and JSON::XS. push_write(json => ...) writes nothing behind a text; with --line-ends the
# program adds what AnyEvent's manual advises.
# The daemon's pipe is in UMEM_PIPE.
use strict;
use warnings;
use AnyEvent;
use AnyEvent::Handle;
use AnyEvent::Socket;
use JSON::XS;

my $line_ends = @ARGV && $ARGV[0] eq '--line-ends';
my $connected = AE::cv;
my $last_id = 0;

tcp_connect 'unix/', $ENV{UMEM_PIPE}, sub { $connected->send(@_) };
my ($socket) = $connected->recv or die "no connection: $!";
my $pipe = AnyEvent::Handle->new(
    fh => $socket,
    on_error => sub { die "the pipe: $_[2]" },
);

sub tell_daemon {
    $pipe->push_write(json => $_[0]);
    $pipe->push_write("\012") if $line_ends;
}

sub answer {
    my $come = AE::cv;
    $pipe->push_read(json => sub { $come->send($_[1]) });
    return $come->recv;
}

sub call {
    my ($method, $params) = @_;
    tell_daemon({ jsonrpc => '2.0', id => ++$last_id, method => $method, params => $params });
    my $answer = answer();
    die "not its answer" unless $answer->{id} == $last_id;
    return $answer;
}

sub expect {
    my ($what, $found, $wanted) = @_;
    die "$what: expected $wanted, found " . ($found // 'nothing') . "\n" unless defined $found && $found eq $wanted;
    print "ok: $what\n";
}

sub refused {
    my ($code, $name, $method, $params) = @_;
    my $error = call($method, $params)->{error};
    expect("$method is refused", "$error->{code} $error->{data}{name}", "$code $name");
}

expect('ping', ref call('server.ping', {})->{result}, 'HASH');
my $block = call('block.alloc', { size => 8, lifetime => 'session' })->{result}{block};
my $text = "gr\x{f6}\x{df}er";
expect('write', call('block.write', { block => $block, data => $text, encoding => 'utf8' })->{result}{size}, 8);
expect('read', call('block.read', [$block, 0, 8, 'utf8'])->{result}{data}, $text);
refused(-32003, 'out_of_range', 'block.read', { block => $block, offset => 6, size => 4 });
refused(-32601, 'method_not_found', 'block.frobnicate', {});

# A notification, a batch, and two that are sent without waiting.
tell_daemon({ jsonrpc => '2.0', method => 'block.set', params => [$block, 0, [9]] });
tell_daemon([map +{ jsonrpc => '2.0', id => $_, method => 'block.get', params => [$block, $_] }, 0, 1]);
expect('batch', join(' ', map $_->{result}{values}[0], @{ answer() }), '9 114');
tell_daemon({ jsonrpc => '2.0', id => $_, method => 'block.get', params => [$block, $_] }) for 6, 7;
expect('pipeline', join(' ', map answer()->{id}, 1, 2), '6 7');
expect('free', call('block.free', { block => $block })->{result}{size}, 8);
refused(-32002, 'stale_handle', 'block.free', { block => $block });
$pipe->destroy;
