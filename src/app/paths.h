/*
 * Where an installed sensor has its files, and as whom it runs.
 *
 * The package, the unit and tmpfiles.d (service/) make the same folders and users.
 */
#ifndef POSTCARD_APP_PATHS_H
#define POSTCARD_APP_PATHS_H

#define PATHS_CONFIG "/etc/postcard/postcard.yaml" /* read by live runs where it is there */
#define PATHS_LIB    "/var/lib/postcard"	   /* of PATHS_USER; the two below are in it */
#define PATHS_STATE  PATHS_LIB "/state.db"
#define PATHS_SPOOL  PATHS_LIB "/spool"
#define PATHS_LOG    "/var/log/postcard" /* of PATHS_USER: for --out */

#define PATHS_USER   "postcard"	       /* of the parent, which has the outputs */
#define PATHS_WORKER "postcard-worker" /* of the workers, who own nothing */
#define PATHS_NOBODY "nobody"	       /* in the place of either where it is not there */

#endif
