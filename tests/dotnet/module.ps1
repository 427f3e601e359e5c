# Tests of client/powershell against the daemon in UMEM_PIPE: module.ps1 FOLDER, where the module lies with its library.
param([Parameter(Mandatory)] [string] $Folder)
Set-StrictMode -Version 3
$ErrorActionPreference = 'Stop'
Import-Module (Join-Path $Folder 'Umem.psd1')

$passed = 0
function Expect($What, $Is, $ToBe) {
    if (-not [System.Collections.StructuralComparisons]::StructuralEqualityComparer.Equals($Is, $ToBe)) {
        throw "$What is '$Is' and not '$ToBe'"
    }
    $script:passed++
}

# The error's id has the function's name behind it.
function ExpectError($What, $Id, [scriptblock] $Command) {
    $failures = $null
    & $Command 2>&1 | Where-Object { $_ -is [System.Management.Automation.ErrorRecord] } | Set-Variable failures
    Expect $What ("$($failures.FullyQualifiedErrorId)" -split ',')[0] $Id
}

$made = New-UmemBlock greeting 16 -Value 'hällo'
Expect 'the size' $made.Size 16L
Expect 'the name' $made.Name 'greeting'
Expect 'the lifetime' $made.Lifetime 'server'
Expect 'the text' (Get-UmemBlock greeting -AsText) 'hällo'
Set-UmemBlock greeting ([byte[]](1, 2, 3)) -Offset 13
Expect 'the bytes' (Get-UmemBlock greeting -AsBytes -Offset 12) ([byte[]](0, 1, 2, 3))
Expect 'one byte' (Get-UmemBlock $made.Block -AsBytes -Offset 13 -Size 1) ([byte[]](, 1))
Expect 'by the pipeline' ($made | Get-UmemBlock).Block $made.Block
Expect 'the list' @(Get-UmemBlock | Where-Object Name -eq 'greeting').Count 1

Expect 'any method' (Invoke-Umem block.info @{ block = 'greeting' }).size 16L
Expect 'a list of any method' (Invoke-Umem block.get @{ block = 'greeting'; offset = 13; count = 3 }).values.Count 3
$heap = (Invoke-Umem heap.create @{ name = 'scratch'; maximum_size = 100 }).heap
Expect 'on a heap' (New-UmemBlock -Heap scratch -Value ([byte[]](7, 8))).Heap $heap
ExpectError 'a heap that is full' 'no_memory' { New-UmemBlock -Heap scratch -Size 1000 -ErrorAction Continue }

Expect 'completion of names' (TabExpansion2 'Get-UmemBlock gree').CompletionMatches[0].CompletionText 'greeting'
Expect 'completion of methods' (TabExpansion2 'Invoke-Umem block.exch').CompletionMatches[0].CompletionText 'block.exchange'
Expect 'completion of heaps' (TabExpansion2 'New-UmemBlock -Heap scr').CompletionMatches[0].CompletionText 'scratch'
$null = New-UmemBlock "it's one" 1
Expect 'a name that needs quotes' (TabExpansion2 'Get-UmemBlock it').CompletionMatches[0].CompletionText "'it''s one'"
Remove-UmemBlock "it's one"

ExpectError 'a range' 'out_of_range' { Set-UmemBlock greeting 'x' -Offset 16 -ErrorAction Continue }
ExpectError 'no size' 'ArgumentException' { New-UmemBlock other -ErrorAction Continue }
ExpectError 'a method' 'method_not_found' { Invoke-Umem nonesuch -ErrorAction Continue }
Remove-UmemBlock greeting -WhatIf
Expect 'what was only asked' (Get-UmemBlock greeting).Block $made.Block
$made | Remove-UmemBlock
ExpectError 'freed' 'unknown_handle' { Get-UmemBlock greeting -ErrorAction Continue }
ExpectError 'stale' 'stale_handle' { Get-UmemBlock $made.Block -ErrorAction Continue }
ExpectError 'nobody there' 'UmemConnectionException' { Connect-Umem (Join-Path $Folder nobody) -ErrorAction Continue }
$made = New-UmemHeap store 4096 -Kind Shared
Expect 'a heap' $made.Name 'store'
Expect 'its size' $made.MaximumSize 4096L
Expect 'its kind' (Get-UmemHeap store).Kind 'shared'
Expect 'by its handle' ($made | Get-UmemHeap).Heap $made.Heap
Expect 'it is there' (New-UmemHeap store 4096 -Kind Shared -IfExists Open).Heap $made.Heap
ExpectError 'two of one name' 'name_taken' { New-UmemHeap store 4096 -ErrorAction Continue }
Expect 'the heaps' @(Get-UmemHeap | Where-Object Name -in 'store', 'scratch').Count 2
ExpectError 'not durable' 'unsupported' { Sync-UmemHeap store -ErrorAction Continue }
ExpectError 'no state' 'unsupported' { New-UmemHeap other 4096 -Kind Shared -Lifetime Durable -ErrorAction Continue }
Expect 'what is published' (Publish-UmemValue config 'öne' -Heap store).Size 4L
Expect 'its text' (Get-UmemValue config -AsText) 'öne'
$null = Publish-UmemValue config ([byte[]](1, 2)) -Heap store
Expect 'its bytes' (Get-UmemValue config) ([byte[]](1, 2))
ExpectError 'what is too large' 'no_memory' { Publish-UmemValue config ([byte[]]::new(5000)) -Heap store -ErrorAction Continue }
Expect 'it stays' (Get-UmemValue config) ([byte[]](1, 2))
ExpectError 'nothing published' 'unknown_handle' { Get-UmemValue nonesuch -ErrorAction Continue }
Expect 'completion of values' (TabExpansion2 'Get-UmemValue conf').CompletionMatches[0].CompletionText 'config'
Expect 'completion for a flush' (TabExpansion2 'Sync-UmemHeap sto').CompletionMatches[0].CompletionText 'store'
Expect 'the statistics' ((Get-UmemStatistics).Heaps -ge 3) $true
Remove-UmemHeap store -WhatIf
Expect 'what was only asked of the heap' (Get-UmemHeap store).Blocks 1L
Remove-UmemHeap store
ExpectError 'destroyed' 'unknown_handle' { Get-UmemHeap store -ErrorAction Continue }
Expect 'the connection' (Connect-Umem $env:UMEM_PIPE).IsConnected $true
Expect 'and its use' (Invoke-Umem heap.destroy @{ heap = 'scratch' }).blocks 1L
"$passed passed, 0 failed"
