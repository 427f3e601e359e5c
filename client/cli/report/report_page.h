/*
 * A report as one HTML page, which needs nothing but itself.
 *
 * Owns: the sections of the page. report.html has the rest: their order, titles and look. Must not know: where the facts come from,
 * and where the page goes.
 */
#ifndef UMEM_CLI_REPORT_PAGE_H
#define UMEM_CLI_REPORT_PAGE_H

#include "base/buf.h"
#include "cli/report/report_facts.h"

/* Most bytes that a page may have: far more than the bounds of the facts let it have. */
enum { CLI_PAGE_LIMIT = 1 << 26 };

/* Writes the page. page->failed tells that memory was used up. */
void cli_write_report_page(struct um_buf *page, const struct cli_report_facts *facts);

#endif
