# Blocks of the daemon umemd in PowerShell. The library, Umem.dll, lies beside this file; docs/dotnet.md says how to put it there.
Set-StrictMode -Version 3
$ErrorActionPreference = 'Stop'

Add-Type -Path (Join-Path $PSScriptRoot 'Umem.dll')

$script:client = $null

# A connection, which is made anew when the daemon was restarted. Without a pipe it is one to the default pipe.
function New-Client([string] $Pipe) {
    $options = [Umem.UmemClientOptions]::new()
    if ($Pipe) { $options.Pipe = $Pipe }
    $options.Reconnect = [timespan]::FromSeconds(5)
    [Umem.UmemClient]::Connect($options)
}

# The connection that Connect-Umem made, else one to the default pipe.
function Get-Client {
    if ($null -eq $script:client) { $script:client = New-Client }
    $script:client
}

# A block or heap as the library wants it: text is a name, a number is a handle.
function ConvertTo-BlockRef($Value) {
    if ($Value -is [string]) { [Umem.BlockRef]::new([string]$Value) } else { [Umem.BlockRef]::new([long]$Value) }
}

function ConvertTo-HeapRef($Value) {
    if ($Value -is [string]) { [Umem.HeapRef]::new([string]$Value) } else { [Umem.HeapRef]::new([long]$Value) }
}

# Bytes stay as they are, text is UTF-8.
function ConvertTo-Bytes($Value) {
    if ($Value -is [string]) {
        return , [System.Text.Encoding]::UTF8.GetBytes($Value)
    }
    return , [byte[]]$Value
}

# Runs what calls the daemon. What fails there is an error of the command that was called, with the daemon's name as its id.
function Invoke-Call([scriptblock] $Call, $Target, $Cmdlet) {
    try {
        & $Call
    }
    catch {
        $failure = $_.Exception
        while ($failure -is [System.Management.Automation.RuntimeException] -and $failure.InnerException) {
            $failure = $failure.InnerException
        }
        $id = if ($failure -is [Umem.UmemException]) { $failure.Name } else { $failure.GetType().Name }
        $category = if ($failure -is [Umem.UmemUnknownHandleException] -or $failure -is [Umem.UmemStaleHandleException]) {
            'ObjectNotFound'
        }
        elseif ($failure -is [Umem.UmemConnectionException]) { 'ConnectionError' }
        else { 'InvalidOperation' }
        $Cmdlet.WriteError([System.Management.Automation.ErrorRecord]::new($failure, $id, $category, $Target))
    }
}

<#
.SYNOPSIS
Connects to a daemon. The other commands use this connection; without it, one to the default pipe.
.PARAMETER Pipe
A socket's path, or a Windows pipe's name; left out: the environment's UMEM_PIPE, else the user's own.
.OUTPUTS
The connection, which has every method of the protocol.
#>
function Connect-Umem {
    [CmdletBinding()]
    [OutputType('Umem.UmemClient')]
    param([Parameter(Position = 0)] [string] $Pipe)

    Invoke-Call -Target $Pipe -Cmdlet $PSCmdlet -Call {
        $made = New-Client $Pipe
        if ($null -ne $script:client) { $script:client.Dispose() }
        $script:client = $made
        $made
    }
}

<#
.SYNOPSIS
Allocates a block of zeroed memory.
.PARAMETER Size
How many bytes; left out: as many as the value has.
.PARAMETER Value
What to begin with: bytes, or text, which is written as UTF-8.
.OUTPUTS
The block's description.
#>
function New-UmemBlock {
    [CmdletBinding(SupportsShouldProcess)]
    [OutputType('Umem.BlockInfo')]
    param(
        [Parameter(Position = 0)] [string] $Name,
        [Parameter(Position = 1)] [long] $Size = -1,
        [object] $Heap,
        [ValidateSet('Server', 'Session')] [string] $Lifetime = 'Server',
        [object] $Value
    )

    if (-not $PSCmdlet.ShouldProcess($(if ($Name) { $Name } else { 'a block' }), 'allocate')) { return }
    Invoke-Call -Target $Name -Cmdlet $PSCmdlet -Call {
        $options = [Umem.BlockAllocOptions]::new()
        if ($Name) { $options.Name = $Name }
        if ($null -ne $Heap) { $options.Heap = ConvertTo-HeapRef $Heap }
        $options.Lifetime = [Umem.Lifetime]$Lifetime
        $bytes = if ($null -ne $Value) { ConvertTo-Bytes $Value } else { $null }
        if ($Size -lt 0) {
            if ($null -eq $bytes) { throw [System.ArgumentException]::new('-Size or -Value must be given') }
            $Size = $bytes.Length
        }
        if ($null -ne $bytes) { $options.Data = $bytes }
        $client = Get-Client
        $client.BlockInfo([Umem.BlockRef]::new([long]$client.BlockAlloc($Size, $options).Block))
    }
}

<#
.SYNOPSIS
Describes blocks, or reads the bytes of one.
.PARAMETER Block
A name or a handle; left out: all blocks.
.PARAMETER AsBytes
Its bytes instead of its description.
.PARAMETER AsText
Its bytes, which are UTF-8, as text; zero bytes at the end are left out.
#>
function Get-UmemBlock {
    [CmdletBinding(DefaultParameterSetName = 'Describe')]
    [OutputType('Umem.BlockInfo', ParameterSetName = 'Describe')]
    [OutputType([byte[]], ParameterSetName = 'Bytes')]
    [OutputType([string], ParameterSetName = 'Text')]
    param(
        [Parameter(Position = 0, ValueFromPipelineByPropertyName)] [object] $Block,
        [Parameter(ParameterSetName = 'Describe')] [switch] $Orphaned,
        [Parameter(Mandatory, ParameterSetName = 'Bytes')] [switch] $AsBytes,
        [Parameter(Mandatory, ParameterSetName = 'Text')] [switch] $AsText,
        [Parameter(ParameterSetName = 'Bytes')] [Parameter(ParameterSetName = 'Text')] [long] $Offset = 0,
        [Parameter(ParameterSetName = 'Bytes')] [Parameter(ParameterSetName = 'Text')] [Nullable[long]] $Size
    )

    process {
        Invoke-Call -Target $Block -Cmdlet $PSCmdlet -Call {
            $client = Get-Client
            if ($null -eq $Block) {
                if ($AsBytes -or $AsText) { throw [System.ArgumentException]::new('-Block must be given') }
                $options = [Umem.BlockListOptions]::new()
                if ($Orphaned) { $options.Orphaned = $true }
                $options.After = 0
                while ($null -ne $options.After) {
                    $page = $client.BlockList($options)
                    $page.Blocks
                    $options.After = $page.Next
                }
            }
            elseif ($PSCmdlet.ParameterSetName -eq 'Describe') {
                $client.BlockInfo((ConvertTo-BlockRef $Block))
            }
            else {
                [byte[]] $bytes = $client.BlockRead((ConvertTo-BlockRef $Block), $Offset, $Size)
                if ($AsText) { [System.Text.Encoding]::UTF8.GetString($bytes).TrimEnd([char]0) }
                else { , $bytes }
            }
        }
    }
}

<#
.SYNOPSIS
Writes bytes or text to a block.
#>
function Set-UmemBlock {
    [CmdletBinding(SupportsShouldProcess)]
    param(
        [Parameter(Mandatory, Position = 0, ValueFromPipelineByPropertyName)] [object] $Block,
        [Parameter(Mandatory, Position = 1)] [AllowEmptyString()] [AllowEmptyCollection()] [object] $Value,
        [long] $Offset = 0
    )

    process {
        if (-not $PSCmdlet.ShouldProcess($Block, 'write')) { return }
        Invoke-Call -Target $Block -Cmdlet $PSCmdlet -Call {
            (Get-Client).BlockWrite((ConvertTo-BlockRef $Block), $Offset, [byte[]](ConvertTo-Bytes $Value))
        }
    }
}

<#
.SYNOPSIS
Frees a block.
#>
function Remove-UmemBlock {
    [CmdletBinding(SupportsShouldProcess)]
    param([Parameter(Mandatory, Position = 0, ValueFromPipelineByPropertyName)] [object] $Block)

    process {
        if (-not $PSCmdlet.ShouldProcess($Block, 'free')) { return }
        Invoke-Call -Target $Block -Cmdlet $PSCmdlet -Call {
            (Get-Client).BlockFree((ConvertTo-BlockRef $Block), $null) | Out-Null
        }
    }
}

<#
.SYNOPSIS
Makes a heap: where blocks are allocated, and a quota.
.PARAMETER MaximumSize
Most bytes that its blocks may have together; left out: no end.
.PARAMETER Kind
Shared: programs can map its blocks.
.PARAMETER Lifetime
Server: until it is destroyed; Session: as long as this connection; Durable, of a shared heap: it lies in files.
.PARAMETER IfExists
What to do where a heap has the name: Fail, or Open it.
.OUTPUTS
The heap's description.
#>
function New-UmemHeap {
    [CmdletBinding(SupportsShouldProcess)]
    [OutputType('Umem.HeapInfo')]
    param(
        [Parameter(Position = 0)] [string] $Name,
        [Parameter(Position = 1)] [Nullable[long]] $MaximumSize,
        [ValidateSet('Private', 'Shared')] [string] $Kind,
        [ValidateSet('Server', 'Session', 'Durable')] [string] $Lifetime,
        [ValidateSet('Fail', 'Open')] [string] $IfExists
    )

    if (-not $PSCmdlet.ShouldProcess($(if ($Name) { $Name } else { 'a heap' }), 'create')) { return }
    Invoke-Call -Target $Name -Cmdlet $PSCmdlet -Call {
        $options = [Umem.HeapCreateOptions]::new()
        if ($Name) { $options.Name = $Name }
        if ($null -ne $MaximumSize) { $options.MaximumSize = $MaximumSize }
        if ($Kind) { $options.Kind = [Umem.HeapKind]$Kind }
        if ($Lifetime) { $options.Lifetime = [Umem.Lifetime]$Lifetime }
        if ($IfExists) { $options.IfExists = [Umem.IfExists]$IfExists }
        $client = Get-Client
        $client.HeapInfo([Umem.HeapRef]::new([long]$client.HeapCreate($options).Heap))
    }
}

<#
.SYNOPSIS
Describes heaps.
.PARAMETER Heap
A name or a handle; left out: all heaps.
#>
function Get-UmemHeap {
    [CmdletBinding()]
    [OutputType('Umem.HeapInfo')]
    param([Parameter(Position = 0, ValueFromPipelineByPropertyName)] [object] $Heap)

    process {
        Invoke-Call -Target $Heap -Cmdlet $PSCmdlet -Call {
            $client = Get-Client
            if ($null -ne $Heap) {
                $client.HeapInfo((ConvertTo-HeapRef $Heap))
                return
            }
            $options = [Umem.HeapListOptions]::new()
            $options.After = 0
            while ($null -ne $options.After) {
                $page = $client.HeapList($options)
                $page.Heaps
                $options.After = $page.Next
            }
        }
    }
}

<#
.SYNOPSIS
Waits until all that was written to a durable heap before is on the disk.
#>
function Sync-UmemHeap {
    [CmdletBinding()]
    param([Parameter(Mandatory, Position = 0, ValueFromPipelineByPropertyName)] [object] $Heap)

    process {
        Invoke-Call -Target $Heap -Cmdlet $PSCmdlet -Call {
            (Get-Client).HeapFlush((ConvertTo-HeapRef $Heap))
        }
    }
}

<#
.SYNOPSIS
Destroys a heap, and frees all its blocks.
#>
function Remove-UmemHeap {
    [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'Medium')]
    param([Parameter(Mandatory, Position = 0, ValueFromPipelineByPropertyName)] [object] $Heap)

    process {
        if (-not $PSCmdlet.ShouldProcess($Heap, 'destroy')) { return }
        Invoke-Call -Target $Heap -Cmdlet $PSCmdlet -Call {
            (Get-Client).HeapDestroy((ConvertTo-HeapRef $Heap)) | Out-Null
        }
    }
}

<#
.SYNOPSIS
Publishes bytes or text under a name, in place of what has it: who reads gets all of the old ones or all of the new ones.
.OUTPUTS
The description of the block that has the name now.
#>
function Publish-UmemValue {
    [CmdletBinding(SupportsShouldProcess)]
    [OutputType('Umem.BlockInfo')]
    param(
        [Parameter(Mandatory, Position = 0)] [string] $Name,
        [Parameter(Mandatory, Position = 1)] [AllowEmptyString()] [AllowEmptyCollection()] [object] $Value,
        [object] $Heap,
        [ValidateSet('Server', 'Session')] [string] $Lifetime
    )

    if (-not $PSCmdlet.ShouldProcess($Name, 'publish')) { return }
    Invoke-Call -Target $Name -Cmdlet $PSCmdlet -Call {
        $options = [Umem.BlockAllocOptions]::new()
        if ($null -ne $Heap) { $options.Heap = ConvertTo-HeapRef $Heap }
        if ($Lifetime) { $options.Lifetime = [Umem.Lifetime]$Lifetime }
        $client = Get-Client
        $client.BlockInfo([Umem.BlockRef]::new([long]$client.Put($Name, [byte[]](ConvertTo-Bytes $Value), $options)))
    }
}

<#
.SYNOPSIS
Gets what is published under a name: its bytes.
.PARAMETER AsText
Text instead, of bytes that are UTF-8.
#>
function Get-UmemValue {
    [CmdletBinding()]
    [OutputType([byte[]], [string])]
    param(
        [Parameter(Mandatory, Position = 0)] [string] $Name,
        [switch] $AsText
    )

    Invoke-Call -Target $Name -Cmdlet $PSCmdlet -Call {
        [byte[]] $bytes = (Get-Client).Get($Name)
        if ($AsText) { [System.Text.Encoding]::UTF8.GetString($bytes) } else { , $bytes }
    }
}

<#
.SYNOPSIS
Tells what the daemon has done and has in use.
#>
function Get-UmemStatistics {
    [CmdletBinding()]
    [OutputType('Umem.ServerStats')]
    param()

    Invoke-Call -Target $null -Cmdlet $PSCmdlet -Call { (Get-Client).ServerStats() }
}

<#
.SYNOPSIS
Calls any method of the daemon's.
.EXAMPLE
Invoke-Umem heap.create @{ name = 'scratch'; maximum_size = 4096 }
#>
function Invoke-Umem {
    [CmdletBinding()]
    [OutputType([psobject])]
    param(
        [Parameter(Mandatory, Position = 0)] [string] $Method,
        [Parameter(Position = 1)] [System.Collections.IDictionary] $Parameters = @{}
    )

    Invoke-Call -Target $Method -Cmdlet $PSCmdlet -Call {
        $json = [System.Text.Json.JsonDocument]::Parse((ConvertTo-Json -InputObject $Parameters -Compress -Depth 60)).RootElement
        (Get-Client).Call($Method, $json).GetRawText() | ConvertFrom-Json -Depth 60
    }
}

# ---- completion: of names, and of methods ----

function Complete-Word([string[]] $Words, [string] $Begun) {
    $begin = $Begun.Trim("'", '"')
    $Words | Where-Object { $_ -like ([WildcardPattern]::Escape($begin) + '*') } | Sort-Object | ForEach-Object {
        $text = if ($_ -match '^[A-Za-z_][\w.-]*$') { $_ } else { "'" + $_.Replace("'", "''") + "'" }
        [System.Management.Automation.CompletionResult]::new($text, $_, 'ParameterValue', $_)
    }
}

function Complete-Block([string] $Begun) {
    Complete-Word @(Get-UmemBlock -ErrorAction Ignore | ForEach-Object Name | Where-Object { $_ }) $Begun
}

function Complete-Heap([string] $Begun) {
    Complete-Word @(Get-UmemHeap -ErrorAction Ignore | ForEach-Object Name | Where-Object { $_ }) $Begun
}

Register-ArgumentCompleter -CommandName Get-UmemBlock, Set-UmemBlock, Remove-UmemBlock -ParameterName Block -ScriptBlock {
    param($command, $parameter, $begun)
    Complete-Block $begun
}

Register-ArgumentCompleter -CommandName Get-UmemValue, Publish-UmemValue -ParameterName Name -ScriptBlock {
    param($command, $parameter, $begun)
    Complete-Block $begun
}

$commands = 'New-UmemBlock', 'Get-UmemHeap', 'Sync-UmemHeap', 'Remove-UmemHeap', 'Publish-UmemValue'
Register-ArgumentCompleter -CommandName $commands -ParameterName Heap -ScriptBlock {
    param($command, $parameter, $begun)
    Complete-Heap $begun
}

Register-ArgumentCompleter -CommandName Invoke-Umem -ParameterName Method -ScriptBlock {
    param($command, $parameter, $begun)
    Complete-Word @((Invoke-Umem rpc.discover -ErrorAction Ignore).methods | ForEach-Object name) $begun
}

Export-ModuleMember -Function Connect-Umem, New-UmemBlock, Get-UmemBlock, Set-UmemBlock, Remove-UmemBlock, New-UmemHeap,
    Get-UmemHeap, Sync-UmemHeap, Remove-UmemHeap, Publish-UmemValue, Get-UmemValue, Get-UmemStatistics, Invoke-Umem
