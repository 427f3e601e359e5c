/* umem report: the daemon as a page to look at. */
#include <string.h>

#include "cli/output/fail.h"
#include "cli/report/report_facts.h"
#include "cli/report/report_page.h"
#include "cli/table/verb.h"
#include "cli/transfer/atomic_file.h"

static int write_page(const char *path, const struct um_buf *page)
{
    const char *name = strcmp(path, "-") == 0 ? "standard output" : path;
    struct cli_atomic_file file;
    int error = cli_atomic_file_open(&file, path);

    if (error != 0)
        return cli_fail_file(name, "opened", error);
    error = cli_atomic_file_write(&file, page->data, page->size);
    if (error != 0)
        cli_atomic_file_discard(&file);
    else
        error = cli_atomic_file_commit(&file);
    return error == 0 ? CLI_OK : cli_fail_file(name, "written", error);
}

static int report(struct cli *cli)
{
    struct cli_report_facts *facts;
    struct um_buf page;
    int status = cli_gather_facts(cli, &facts);

    um_buf_init(&page, CLI_PAGE_LIMIT);
    if (status == CLI_OK) {
        cli_write_report_page(&page, facts);
        status = page.failed ? cli_fail_memory() : write_page(cli->words[0], &page);
    }
    um_buf_deinit(&page);
    cli_free_facts(facts);
    return status;
}

const struct cli_verb cli_report_verbs[] = {
    {.name = "report",
     .words = "FILE",
     .summary = "write a page about the daemon, to be looked at in a browser",
     .detail =
         "One HTML file that needs nothing else: heaps and how full they are, blocks by age, program and "
         "size, maps of the memory of shared heaps, orphans by program, sessions, how long calls took, "
         "limits. \"-\" is standard output. A file that is there is replaced when all of the page is "
         "written.\n\n"
         "The page is small however much the daemon has: the 100 largest heaps and sessions, and the 8 "
         "largest shared heaps, are shown, and of the others the sums. Blocks are listed to count them, "
         "which may take some seconds for a million. It has names of heaps, programs and users, but no "
         "contents of blocks.",
     .example = "umem report umemd.html\numem report - | mail -s umemd operator",
     .run = report},
    {.name = NULL},
};
