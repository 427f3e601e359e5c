@{
    RootModule = 'Umem.psm1'
    ModuleVersion = '0.1.0'
    GUID = '0c6dbb0e-6d0a-4a5c-9d5c-3f7f0f6f5b5e'
    Author = 'umemd'
    Description = 'Memory that lives in the daemon umemd: blocks are made, read, written and freed.'
    PowerShellVersion = '7.4'
    CompatiblePSEditions = @('Core')
    FunctionsToExport = @(
        'Connect-Umem', 'New-UmemBlock', 'Get-UmemBlock', 'Set-UmemBlock', 'Remove-UmemBlock', 'New-UmemHeap', 'Get-UmemHeap',
        'Sync-UmemHeap', 'Remove-UmemHeap', 'Publish-UmemValue', 'Get-UmemValue', 'Get-UmemStatistics', 'Invoke-Umem'
    )
    CmdletsToExport = @()
    VariablesToExport = @()
    AliasesToExport = @()
}
