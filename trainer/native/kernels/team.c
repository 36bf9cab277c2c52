#define _POSIX_C_SOURCE 200809L
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "kernels.h"

// A thread without work looks for some for so long before it sleeps: longer than what lies between two kernels of a step,
// and about what waking it costs.
#define SPIN_NANOSECONDS 50000

// The pieces of one member that nobody has taken, in one word: the first in the low half, the end in the high one.
struct slot {
	_Alignas(64) _Atomic uint64_t pieces;
};

struct ms_team {
	// The job. A member reads it after it took a piece and before it counts that piece as done; it stays until all are.
	ms_work *work;
	const void *job;
	_Atomic int down;
	int threads;
	struct slot *slots;
	pthread_t *helpers;

	_Alignas(64) _Atomic int left;      // pieces that are not done
	_Alignas(64) _Atomic uint32_t turn; // jobs so far, and one more for the end
	_Atomic int stop;
	_Atomic int asleep;  // helpers that need a signal to begin
	_Atomic int waiting; // the caller needs a signal at the end
	pthread_mutex_t lock;
	pthread_cond_t begin, end;
};

struct helper {
	struct ms_team *team;
	int member;
};

static inline void relax(void) {
#if defined(__x86_64__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
}

static int64_t nanoseconds(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

// Takes a piece from one end of a slot; -1: it has none.
static int take(struct slot *s, int front) {
	uint64_t old = atomic_load(&s->pieces);
	for (;;) {
		const uint32_t first = (uint32_t)old, last = (uint32_t)(old >> 32);
		if (first >= last) return -1;
		const uint64_t rest = front ? old + 1 : old - ((uint64_t)1 << 32);
		if (atomic_compare_exchange_weak(&s->pieces, &old, rest)) return front ? (int)first : (int)last - 1;
	}
}

static void take_part(struct ms_team *t, int member) {
	const int down = atomic_load(&t->down); // of an earlier job, if that just changed: then the order is another, no more
	for (int i = 0; i < t->threads; i++) {
		struct slot *s = &t->slots[(member + i) % t->threads];
		for (int piece; (piece = take(s, (i == 0) != down)) >= 0;) {
			t->work(t->job, piece, member);
			if (atomic_fetch_sub(&t->left, 1) > 1 || !atomic_load(&t->waiting)) continue;
			pthread_mutex_lock(&t->lock);
			pthread_cond_signal(&t->end);
			pthread_mutex_unlock(&t->lock);
		}
	}
}

// Waits for a turn other than `seen` and returns it.
static uint32_t next_turn(struct ms_team *t, uint32_t seen) {
	const int64_t until = nanoseconds() + SPIN_NANOSECONDS;
	do
		for (int i = 0; i < 32; i++) {
			const uint32_t turn = atomic_load(&t->turn);
			if (turn != seen) return turn;
			relax();
		}
	while (nanoseconds() < until);
	pthread_mutex_lock(&t->lock);
	uint32_t turn;
	for (;;) {
		// Counted before the look at the turn, and again after a signal that was for others: it set the count to 0.
		atomic_fetch_add(&t->asleep, 1);
		turn = atomic_load(&t->turn);
		if (turn != seen) break;
		pthread_cond_wait(&t->begin, &t->lock);
	}
	pthread_mutex_unlock(&t->lock);
	return turn;
}

static void *help(void *arg) {
	const struct helper h = *(struct helper *)arg;
	free(arg);
	for (uint32_t turn = 0;;) {
		turn = next_turn(h.team, turn);
		if (atomic_load(&h.team->stop)) return NULL;
		take_part(h.team, h.member);
	}
}

static void change_turn(struct ms_team *t) {
	atomic_fetch_add(&t->turn, 1);
	if (!atomic_load(&t->asleep)) return;
	pthread_mutex_lock(&t->lock);
	atomic_store(&t->asleep, 0);
	pthread_cond_broadcast(&t->begin);
	pthread_mutex_unlock(&t->lock);
}

static void wait_end(struct ms_team *t) {
	if (!atomic_load(&t->left)) return;
	const int64_t until = nanoseconds() + SPIN_NANOSECONDS;
	do
		for (int i = 0; i < 32; i++) {
			if (!atomic_load(&t->left)) return;
			relax();
		}
	while (nanoseconds() < until);
	pthread_mutex_lock(&t->lock);
	atomic_store(&t->waiting, 1);
	while (atomic_load(&t->left)) pthread_cond_wait(&t->end, &t->lock);
	atomic_store(&t->waiting, 0);
	pthread_mutex_unlock(&t->lock);
}

void ms_team_run(struct ms_team *t, ms_work *work, const void *job, int pieces, int down) {
	if (!t || pieces < 2) {
		for (int i = 0; i < pieces; i++) work(job, down ? pieces - 1 - i : i, 0);
		return;
	}
	t->work = work;
	t->job = job;
	atomic_store(&t->down, down != 0);
	atomic_store(&t->left, pieces);
	for (int i = 0; i < t->threads; i++) {
		const uint64_t first = (uint64_t)ms_share(pieces, t->threads, i), last = (uint64_t)ms_share(pieces, t->threads, i + 1);
		atomic_store(&t->slots[i].pieces, last << 32 | first);
	}
	change_turn(t);
	take_part(t, 0);
	wait_end(t);
}

int ms_team_threads(const struct ms_team *t) { return t ? t->threads : 1; }

// Starts helper number `member`, which gets no signals: they are for the program's other threads.
static int start(struct ms_team *t, int member) {
	struct helper *h = malloc(sizeof *h);
	if (!h) return 0;
	*h = (struct helper){t, member};
	sigset_t all, old;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	const int failed = pthread_create(&t->helpers[member - 1], NULL, help, h);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (failed) free(h);
	return !failed;
}

// Ends the first `helpers` helpers and frees everything.
static void end(struct ms_team *t, int helpers) {
	atomic_store(&t->stop, 1);
	change_turn(t);
	for (int i = 0; i < helpers; i++) pthread_join(t->helpers[i], NULL);
	pthread_cond_destroy(&t->begin);
	pthread_cond_destroy(&t->end);
	pthread_mutex_destroy(&t->lock);
	free(t->helpers);
	free(t->slots);
	free(t);
}

struct ms_team *ms_team_new(int threads) {
	struct ms_team *t = (struct ms_team *)ms_alloc(sizeof *t / sizeof(float));
	if (!t) return NULL;
	pthread_mutex_init(&t->lock, NULL);
	pthread_cond_init(&t->begin, NULL);
	pthread_cond_init(&t->end, NULL);
	t->threads = threads;
	t->slots = (struct slot *)ms_alloc((int64_t)threads * (int64_t)(sizeof(struct slot) / sizeof(float)));
	t->helpers = calloc((size_t)threads, sizeof *t->helpers);
	int n = 0;
	if (t->slots && t->helpers)
		while (n < threads - 1 && start(t, n + 1)) n++;
	if (n == threads - 1) return t;
	end(t, n);
	return NULL;
}

void ms_team_free(struct ms_team *t) { end(t, t->threads - 1); }
