# Completion of umem for PowerShell: verbs, options, and the names of heaps and blocks that the daemon has. To use it, put this
# into the profile:
#
#     umem completion powershell | Out-String | Invoke-Expression
#
# umem itself determines what may be completed.

Register-ArgumentCompleter -Native -CommandName umem -ScriptBlock {
    param($word, $command, $cursor)
    $line = $command.ToString()
    # What is behind the last word, up to the cursor, is no part of the command.
    $line = $line.PadRight($cursor - $command.Extent.StartOffset).Substring(0, $cursor - $command.Extent.StartOffset)
    umem --candidates $line 2>$null | ForEach-Object {
        $text = if ($_ -match '[\s''"`$(){};,|&<>@#]') { "'" + $_.Replace("'", "''") + "'" } else { $_ }
        [System.Management.Automation.CompletionResult]::new($text, $_, 'ParameterValue', $_)
    }
}
