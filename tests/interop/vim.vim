" A session with Vim's channels: mode "lsp" (JSON-RPC on headers), and mode "nl" (texts on lines, which the script encodes).
" Mode "json" is a protocol of Vim's own, and not JSON-RPC.
" The daemon's pipe is in $UMEM_PIPE, or the command that carries to it in $UMEM_CARRIER.
" vim -N -u NONE -i NONE -n -es -S vim.vim

function Fail(why)
  call writefile(['FAILED: ' . a:why], '/dev/stderr')
  cquit
endfunction

function Expect(what, found, wanted)
  if a:found !=# a:wanted
    call Fail(a:what . ': expected ' . string(a:wanted) . ', found ' . string(a:found))
  endif
endfunction

function Open(mode)
  if empty($UMEM_CARRIER)
    let channel = ch_open('unix:' . $UMEM_PIPE, {'mode': a:mode})
  else
    let s:job = job_start(json_decode($UMEM_CARRIER), {'mode': a:mode, 'stoponexit': ''})
    let channel = job_getchannel(s:job)
  endif
  if ch_status(channel) !=# 'open'
    call Fail('no channel: ' . $UMEM_PIPE)
  endif
  return channel
endfunction

function OnHeaders(channel, method, params)
  return ch_evalexpr(a:channel, {'method': a:method, 'params': a:params}, {'timeout': 60000})
endfunction

function OnLines(channel, method, params)
  let request = {'jsonrpc': '2.0', 'id': 1, 'method': a:method, 'params': a:params}
  return json_decode(ch_evalraw(a:channel, json_encode(request) . "\n", {'timeout': 60000}))
endfunction

function Session(mode, Call)
  let channel = Open(a:mode)
  let Ask = function(a:Call, [channel])
  call Expect('ping', Ask('server.ping', {}).result, {})
  let block = Ask('block.alloc', {'size': 8, 'lifetime': 'session'}).result.block
  call Expect('write', Ask('block.write', {'block': block, 'data': 'größer', 'encoding': 'utf8'}).result, {'size': 8})
  call Expect('read', Ask('block.read', [block, 0, 8, 'utf8']).result.data, 'größer')
  let error = Ask('block.read', {'block': block, 'offset': 6, 'size': 4}).error
  call Expect('error', [error.code, error.data.name], [-32003, 'out_of_range'])
  let note = {'jsonrpc': '2.0', 'method': 'block.set', 'params': {'block': block, 'offset': 0, 'values': [7]}}
  if a:mode ==# 'lsp'
    call ch_sendexpr(channel, note)
  else
    call ch_sendraw(channel, json_encode(note) . "\n")
    " A batch is one line, and is answered by one.
    let batch = [extend({'id': 1}, note), {'jsonrpc': '2.0', 'id': 2, 'method': 'server.ping'}]
    let answers = json_decode(ch_evalraw(channel, json_encode(batch) . "\n", {'timeout': 60000}))
    call Expect('batch', map(answers, 'v:val.id'), [1, 2])
  endif
  call Expect('notification', Ask('block.get', {'block': block, 'offset': 0}).result.values, [7])
  call Expect('free', Ask('block.free', {'block': block}).result, {'size': 8})
  call Expect('stale', Ask('block.free', {'block': block}).error.data.name, 'stale_handle')
  call ch_close(channel)
endfunction

try
  call Session('lsp', 'OnHeaders')
  call Session('nl', 'OnLines')
catch
  call Fail(v:exception . ' at ' . v:throwpoint)
endtry
qall!
