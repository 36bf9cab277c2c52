// A team of threads that share the work of one kernel: the thread that calls it, and helpers that are there as long as the team.
//
// A kernel is cut into pieces that write to different memory and sum nothing across their borders; who does which piece, and
// when, then changes no bit of the result. Each member of a team owns a run of neighbouring pieces, the same in every kernel with
// as many, so that an image stays in one processor's cache; who has none left takes from the far end of another's.
#ifndef MAPSWEEP_TEAM_H
#define MAPSWEEP_TEAM_H

#include <stdint.h>

struct ms_team;

// Does one piece of a job. member says who does it, from 0 to ms_team_threads-1, for scratch memory of each thread's own.
typedef void ms_work(const void *job, int piece, int member);

struct ms_team *ms_team_new(int threads); // so many with the caller, at least 2; NULL: the system gives no more threads
void ms_team_free(struct ms_team *team);  // ends the helpers
int ms_team_threads(const struct ms_team *team); // 1 for NULL

// Does all pieces and returns when they are done; with `down` every member begins with its last. NULL is a team of the caller
// alone. One call at a time.
void ms_team_run(struct ms_team *team, ms_work *work, const void *job, int pieces, int down);

// Where share i of `shares` begins when `all` are dealt out evenly; share i ends where i+1 begins.
static inline int ms_share(int all, int shares, int i) { return (int)((int64_t)all * i / shares); }

#endif
