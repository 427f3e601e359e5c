# Completion of umemd for PowerShell: options, and the words that are their values. To use it, put this into the profile:
#
#     umemd --completion powershell | Out-String | Invoke-Expression
#
# umemd itself determines what may be completed.

Register-ArgumentCompleter -Native -CommandName umemd -ScriptBlock {
    param($word, $command, $cursor)
    $words = @($command.CommandElements | Where-Object { $_.Extent.EndOffset -lt $cursor } | ForEach-Object { $_.ToString() })
    $before = $words[-1]
    $head = ''
    if ($word -match '^(--[^=]*)=(.*)$') {
        $before = $Matches[1]
        $head = "$before="
        $word = $Matches[2]
    }
    # An empty argument is not passed on by every PowerShell.
    $arguments = @('--candidates', $before) + @($word | Where-Object { $_ })
    umemd @arguments 2>$null | ForEach-Object {
        [System.Management.Automation.CompletionResult]::new("$head$_", $_, 'ParameterValue', $_)
    }
}
