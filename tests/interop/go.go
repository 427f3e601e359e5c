// A session with Sourcegraph's jsonrpc2: on headers (VSCodeObjectCodec) and on lines (PlainObjectCodec). The daemon's pipe is in
// UMEM_PIPE.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net"
	"os"
	"time"

	"github.com/sourcegraph/jsonrpc2"
)

// What the daemon says unasked: its notifications.
type listener struct{ heard chan string }

func (l listener) Handle(_ context.Context, _ *jsonrpc2.Conn, request *jsonrpc2.Request) {
	l.heard <- request.Method
}

type params map[string]interface{}

func expect(what string, found, wanted interface{}) {
	if fmt.Sprint(found) != fmt.Sprint(wanted) {
		log.Fatalf("%s: expected %v, found %v", what, wanted, found)
	}
	fmt.Println("ok:", what)
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// The code and the name of the error that a call is answered with.
func refusal(err error) string {
	var refused *jsonrpc2.Error
	if !errors.As(err, &refused) || refused.Data == nil {
		log.Fatalf("not an error of the daemon's: %v", err)
	}
	var data struct{ Name string }
	must(json.Unmarshal(*refused.Data, &data))
	return fmt.Sprint(refused.Code, " ", data.Name)
}

// Many calls under way, from many goroutines; notifications; the block is freed.
func severalAtOnce(ctx context.Context, umemd *jsonrpc2.Conn, told listener, block int64) {
	done := make(chan error)
	for i := 0; i < 100; i++ {
		go func() {
			done <- umemd.Call(ctx, "block.add", params{"block": block, "offset": 0, "value": 1, "type": "u8"}, nil)
		}()
	}
	for i := 0; i < 100; i++ {
		must(<-done)
	}
	var values struct{ Values []int }
	must(umemd.Call(ctx, "block.get", params{"block": block, "offset": 0}, &values))
	expect("a hundred additions", values.Values, []int{109})

	must(umemd.Call(ctx, "session.watch", params{"block": block}, nil))
	must(umemd.Call(ctx, "block.free", params{"block": block}, nil))
	expect("what the daemon says unasked", <-told.heard, "block.freed")
}

func session(codec jsonrpc2.ObjectCodec, several bool) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	pipe, err := net.Dial("unix", os.Getenv("UMEM_PIPE"))
	must(err)
	told := listener{make(chan string, 8)}
	umemd := jsonrpc2.NewConn(ctx, jsonrpc2.NewBufferedStream(pipe, codec), told)
	defer umemd.Close()

	var nothing struct{}
	must(umemd.Call(ctx, "server.ping", nil, &nothing))
	var made struct{ Block int64 }
	must(umemd.Call(ctx, "block.alloc", params{"size": 8, "lifetime": "session"}, &made))
	// encoding/json writes []byte as base64, which is what umemd takes.
	var size struct{ Size int }
	must(umemd.Call(ctx, "block.write", params{"block": made.Block, "data": []byte{0, 1, 255}}, &size))
	expect("write", size.Size, 3)
	var read struct{ Data []byte }
	must(umemd.Call(ctx, "block.read", []int64{made.Block, 0, 4}, &read))
	expect("read by position", read.Data, []byte{0, 1, 255, 0})
	err = umemd.Call(ctx, "block.read", params{"block": made.Block, "offset": 6, "size": 4}, &read)
	expect("error", refusal(err), "-32003 out_of_range")
	expect("another", refusal(umemd.Call(ctx, "block.frobnicate", nil, nil)), "-32601 method_not_found")

	must(umemd.Notify(ctx, "block.set", params{"block": made.Block, "offset": 0, "values": []int{9}}))
	var values struct{ Values []int }
	must(umemd.Call(ctx, "block.get", params{"block": made.Block, "offset": 0}, &values))
	expect("notification", values.Values, []int{9})

	if several {
		severalAtOnce(ctx, umemd, told, made.Block)
	} else {
		must(umemd.Call(ctx, "block.free", params{"block": made.Block}, nil))
	}
	expect("stale", refusal(umemd.Call(ctx, "block.free", params{"block": made.Block}, nil)), "-32002 stale_handle")
}

func main() {
	session(jsonrpc2.VSCodeObjectCodec{}, true)
	// It loses what arrives together with an answer, so there is one call at a time.
	session(jsonrpc2.PlainObjectCodec{}, false)
}
