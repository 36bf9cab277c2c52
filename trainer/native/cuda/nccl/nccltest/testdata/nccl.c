// A stand-in for libnccl.so.2 over host memory: ranks are threads of one process, whose sums meet when the last one comes. Its
// work goes into streams of the emulated driver, so that it can be captured. Strict about its arguments, that all ranks ask for
// the same, and that what they launch was captured by all of them together. As with NCCL, the last rank that leaves or aborts
// waits until no graph holds work of any: NCCL would wait for ever, this gives up after a while. FAKE_NCCL_VERSION is its version;
// FAKE_NCCL_WAIT the seconds after which a rank gives the others up (20).
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { GOOD = 0, INTERNAL = 3, INVALID_ARGUMENT = 4, INVALID_USAGE = 5, REMOTE = 6 };
enum { INT8 = 0, FLOAT32 = 7, FLOAT64 = 8, SUM = 0 };
enum { MOST = 8, GRAPHS_LET_GO = 70 /* seconds */ };

struct id { char bytes[128]; };

struct work { // of one rank
	struct comm *comm;
	void *p;
	size_t n;
	int type, from; // from < 0: a sum
	int order;      // of what its rank has asked for
};

struct set {
	struct id id;
	int ranks, arrived, turn, left, aborted;
	int held; // work under way, or in graphs
	struct comm *all[MOST];
	struct work *here[MOST];
	struct set *next;
};

struct comm {
	struct set *set;
	int rank, failed, asked;
};

static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static struct set *sets;
static __thread int groups;

static long number(const char *name, long otherwise) { return getenv(name) ? atol(getenv(name)) : otherwise; }

int ncclGetVersion(int *v) { return *v = (int)number("FAKE_NCCL_VERSION", 22703), GOOD; }
const char *ncclGetErrorString(int status) {
	switch (status) {
	case GOOD: return "no error";
	case INVALID_ARGUMENT: return "invalid argument";
	case INVALID_USAGE: return "invalid usage";
	case REMOTE: return "remote process exited or there was a network error";
	}
	return "internal error";
}

int ncclGetUniqueId(struct id *id) {
	static int made;
	pthread_mutex_lock(&guard);
	memset(id, 0, sizeof *id);
	snprintf(id->bytes, sizeof id->bytes, "set %d", ++made);
	id->bytes[127] = 1; // the last byte counts too
	pthread_mutex_unlock(&guard);
	return GOOD;
}

// meet waits until all ranks have come, the last of which does f; it returns whether they all came.
static int meet(struct set *s, void (*f)(struct set *)) {
	struct timespec until;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += number("FAKE_NCCL_WAIT", 20);
	int turn = s->turn;
	if (s->aborted) return 0;
	if (++s->arrived == s->ranks) {
		if (f) f(s);
		s->arrived = 0;
		s->turn++;
		pthread_cond_broadcast(&changed);
		return 1;
	}
	while (s->turn == turn)
		if (pthread_cond_timedwait(&changed, &guard, &until) || (s->aborted && s->turn == turn)) {
			s->arrived--;
			return 0;
		}
	return 1;
}

int ncclCommInitRank(void **comm, int ranks, struct id id, int rank) {
	if (ranks < 1 || ranks > MOST || rank < 0 || rank >= ranks || id.bytes[127] != 1) return INVALID_ARGUMENT;
	pthread_mutex_lock(&guard);
	struct set *s = sets;
	while (s && memcmp(&s->id, &id, sizeof id)) s = s->next;
	if (!s) {
		s = calloc(1, sizeof *s);
		*s = (struct set){.id = id, .ranks = ranks, .left = ranks, .next = sets};
		sets = s;
	}
	int came = s->ranks == ranks && meet(s, NULL);
	pthread_mutex_unlock(&guard);
	if (!came) return INVALID_USAGE;
	struct comm *c = calloc(1, sizeof *c);
	c->set = s, c->rank = rank;
	s->all[rank] = c;
	return *comm = c, GOOD;
}

// together does what all ranks have asked for, in order of the ranks.
static void together(struct set *s) {
	struct work *first = s->here[0];
	for (int r = 1; r < s->ranks; r++)
		if (s->here[r]->n != first->n || s->here[r]->type != first->type || s->here[r]->from != first->from || s->here[r]->order != first->order) {
			for (int k = 0; k < s->ranks; k++) s->here[k]->comm->failed = INVALID_USAGE;
			return;
		}
	size_t bytes = first->n * (first->type == FLOAT64 ? 8 : first->type == FLOAT32 ? 4 : 1);
	void *result = malloc(bytes + 1);
	memcpy(result, s->here[first->from < 0 ? 0 : first->from]->p, bytes);
	for (int r = 1; first->from < 0 && r < s->ranks; r++)
		for (size_t i = 0; i < first->n; i++)
			if (first->type == FLOAT64)
				((double *)result)[i] += ((double *)s->here[r]->p)[i];
			else
				((float *)result)[i] += ((float *)s->here[r]->p)[i];
	for (int r = 0; r < s->ranks; r++) memcpy(s->here[r]->p, result, bytes);
	free(result);
}

static void carry_out(void *p) {
	struct work *w = p;
	struct comm *c = w->comm;
	pthread_mutex_lock(&guard);
	if (!c->failed) {
		c->set->here[c->rank] = w;
		if (!meet(c->set, together)) c->failed = REMOTE;
	}
	pthread_mutex_unlock(&guard);
}

// gone is called when work is done, or no graph has it any more.
static void gone(void *p) {
	struct work *w = p;
	pthread_mutex_lock(&guard);
	w->comm->set->held--;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&guard);
	free(w);
}

static int enqueue(struct comm *c, void *stream, struct work w) {
	static int (*launch)(void *, void (*)(void *), void (*)(void *), void *);
	if (!c || !stream || !w.p || !w.n) return INVALID_ARGUMENT;
	const char *closed = getenv("NCCL_P2P_DIRECT_DISABLE");
	if (c->set->ranks > 1 && (!closed || strcmp(closed, "1"))) {
		fprintf(stderr, "stand-in for NCCL: memory of a device's pool is not open to other GPUs of the process\n");
		return INVALID_USAGE;
	}
	pthread_mutex_lock(&guard);
	if (!launch) {
		void *driver = dlopen(getenv("MAPSWEEP_CUDA_DRIVER"), RTLD_NOW | RTLD_NOLOAD);
		launch = driver ? dlsym(driver, "emulatorLaunchHostFunc") : NULL;
	}
	struct work *kept = malloc(sizeof w);
	w.comm = c, w.order = c->asked++;
	*kept = w;
	c->set->held++;
	pthread_mutex_unlock(&guard);
	return launch && !launch(stream, carry_out, gone, kept) ? GOOD : INTERNAL;
}

int ncclAllReduce(const void *from, void *to, size_t n, int type, int op, struct comm *c, void *stream) {
	if (from != to || op != SUM || (type != FLOAT32 && type != FLOAT64)) return INVALID_ARGUMENT;
	return enqueue(c, stream, (struct work){.p = to, .n = n, .type = type, .from = -1});
}

int ncclBroadcast(const void *from, void *to, size_t n, int type, int root, struct comm *c, void *stream) {
	if (from != to || type != INT8 || !c || root < 0 || root >= c->set->ranks) return INVALID_ARGUMENT;
	return enqueue(c, stream, (struct work){.p = to, .n = n, .type = type, .from = root});
}

int ncclGroupStart(void) { return groups++, GOOD; }
int ncclGroupEnd(void) { return groups > 0 ? groups--, GOOD : INVALID_USAGE; }

int ncclCommGetAsyncError(struct comm *c, int *status) {
	pthread_mutex_lock(&guard);
	*status = c->failed;
	pthread_mutex_unlock(&guard);
	return GOOD;
}

// let_go waits until no work of a set is under way, or in graphs.
static int let_go(struct set *s) {
	struct timespec until;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += GRAPHS_LET_GO;
	while (s->held)
		if (pthread_cond_timedwait(&changed, &guard, &until)) return 0;
	return 1;
}

// leave ends a rank. The last one frees them all.
static int leave(struct comm *c, int abort) {
	struct set *set = c->set;
	int status = GOOD;
	pthread_mutex_lock(&guard);
	if (abort) {
		set->aborted = 1;
		c->failed = REMOTE;
		pthread_cond_broadcast(&changed);
	}
	if (--set->left == 0) {
		if (let_go(set)) {
			struct set **s = &sets;
			while (*s != set) s = &(*s)->next;
			*s = set->next;
			for (int r = 0; r < set->ranks; r++) free(set->all[r]);
			free(set);
		} else
			status = INTERNAL;
	}
	pthread_mutex_unlock(&guard);
	return status;
}

int ncclCommAbort(struct comm *c) { return leave(c, 1); }

#ifndef LACKS_ONE
int ncclCommDestroy(struct comm *c) { return leave(c, 0); }
#endif
