/*
 * server.info as C has it.
 *
 * Owns: nothing. Must not know: connections. Pure.
 */
#ifndef UM_SERVER_INFO_H
#define UM_SERVER_INFO_H

#include "lib/answer/scan.h"
#include "umem_client.h"

/* Makes it of a result. What is missing is 0 or "". The caller frees it with umem_free_server_info(). NULL: there is no memory. */
struct umem_server_info *um_server_info_new(struct um_json_slice result);

#endif
