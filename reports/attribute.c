// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/attribute.h"

#include <errno.h>
#include <string.h>

#include "common/tsc.h"
#include "reports/search.h"

/* What the open gap has collected for one cause. */
struct share {
	uint64_t cycles;
	uint32_t starts;
	bool is_listed;
};

struct attribution {
	struct attribute_params params;
	struct timeline host;
	struct timeline guest;
	enum trace_layer subject; /* whose events show where the probe's own CPU is */
	bool is_interrupted;	  /* the open gap has had an event of that layer */
	uint32_t pending;	  /* cause of the time until its next one: kernel's, if there is one in the gap */
	uint32_t kernel;
	uint64_t now;
	size_t current;	     /* gap that is open or comes next */
	struct share *share; /* by cause */
	uint32_t n_shares;
	uint32_t *listed; /* causes with a share in the open gap */
	size_t n_listed;
	int error;
};

struct attribution *attribution_new(const struct attribute_params *params)
{
	struct attribution *join = calloc(1, sizeof(*join));

	if (!join)
		return NULL;
	join->params = *params;
	join->subject = params->has_guest ? TRACE_GUEST : TRACE_HOST;
	join->pending = causes_get(params->causes, join->subject, CAUSE_PENDING, 0);
	join->kernel = causes_get(params->causes, join->subject, CAUSE_KERNEL, 0);
	timeline_init(&join->host, &params->host, params->names, params->causes);
	timeline_init(&join->guest, &params->guest, params->names, params->causes);
	return join;
}

void attribution_free(struct attribution *join)
{
	if (!join)
		return;
	free(join->share);
	free(join->listed);
	free(join);
}

static bool make_room(struct attribution *join, uint32_t cause)
{
	uint32_t n = join->n_shares ? join->n_shares * 2 : 64;
	struct share *share;
	uint32_t *listed;

	if (cause < join->n_shares)
		return true;
	while (n <= cause)
		n *= 2;
	share = reallocarray(join->share, n, sizeof(*share));
	if (share)
		join->share = share;
	listed = reallocarray(join->listed, n, sizeof(*listed));
	if (listed)
		join->listed = listed;
	if (!share || !listed) {
		join->error = -ENOMEM;
		return false;
	}
	memset(share + join->n_shares, 0, (n - join->n_shares) * sizeof(*share));
	join->n_shares = n;
	return true;
}

/* The cause's share of the open gap; NULL without memory. */
static struct share *share_of(struct attribution *join, uint32_t cause)
{
	struct share *share;

	if (!make_room(join, cause))
		return NULL;
	share = &join->share[cause];
	if (!share->is_listed)
		join->listed[join->n_listed++] = cause;
	share->is_listed = true;
	return share;
}

static void rename_share(struct attribution *join, uint32_t from, uint32_t to)
{
	const struct attribute_observer *observer = &join->params.observer;
	struct share *target;

	if (from == to || from >= join->n_shares || !join->share[from].is_listed)
		return;
	target = share_of(join, to);
	if (!target)
		return;
	target->cycles += join->share[from].cycles;
	join->share[from].cycles = 0;
	if (observer->renamed)
		observer->renamed(observer->ctx, join->current, from, to);
}

/* Who gets the time that comes next. */
struct piece {
	uint32_t owner;
	enum trace_layer lane;
	bool in_guest;
};

static struct piece owner_now(const struct attribution *join)
{
	struct piece piece = { .owner = timeline_owner(&join->host), .lane = TRACE_HOST };

	if (piece.owner == TIMELINE_SUBJECT && join->params.has_guest)
		piece = (struct piece){ timeline_owner(&join->guest), TRACE_GUEST, true };
	if (piece.owner == TIMELINE_SUBJECT)
		piece.owner = CAUSE_ID_UNEXPLAINED;
	return piece;
}

/* What the time of the open gap counts as in which no layer shows anything. */
static uint32_t owner_of_silence(const struct attribution *join)
{
	if (join->params.gaps[join->current].quiet)
		return causes_get(join->params.causes, TRACE_HOST, CAUSE_BELOW_HOST, 0);
	return join->is_interrupted ? join->pending : CAUSE_ID_UNEXPLAINED;
}

static void add_piece(struct attribution *join, const struct piece *piece, uint64_t t0, uint64_t t1)
{
	const struct attribute_observer *observer = &join->params.observer;
	struct gap *gap = &join->params.gaps[join->current];
	uint32_t owner = piece->owner == CAUSE_ID_UNEXPLAINED ? owner_of_silence(join) : piece->owner;
	struct share *share = share_of(join, owner);

	if (!share)
		return;
	share->cycles += t1 - t0;
	if (piece->in_guest)
		gap->guest_cycles += t1 - t0;
	if (observer->segment)
		observer->segment(observer->ctx, join->current, piece->lane, t0, t1, owner);
}

static unsigned int rank_of(const struct attribution *join, uint32_t cause)
{
	return cause_rank(causes_class(join->params.causes, cause));
}

static int compare_parts(const void *a, const void *b, void *causes)
{
	const struct gap_part *x = a;
	const struct gap_part *y = b;

	if (x->cycles != y->cycles)
		return x->cycles < y->cycles ? 1 : -1;
	return strcmp(causes_text(causes, x->cause), causes_text(causes, y->cause));
}

static unsigned int highest_rank(const struct attribution *join)
{
	unsigned int rank = 0;

	for (size_t i = 0; i < join->n_listed; i++) {
		const struct share *share = &join->share[join->listed[i]];

		if ((share->cycles || share->starts) && rank_of(join, join->listed[i]) > rank)
			rank = rank_of(join, join->listed[i]);
	}
	return rank;
}

/* Shares of at least this rank, largest first; those without time only when they began here. */
static size_t list_parts(struct attribution *join, unsigned int rank, bool with_timeless, struct gap_part *ret)
{
	size_t n = 0;

	for (size_t i = 0; i < join->n_listed; i++) {
		uint32_t cause = join->listed[i];
		const struct share *share = &join->share[cause];

		if (rank_of(join, cause) >= rank && (share->cycles || (with_timeless && share->starts)))
			ret[n++] = (struct gap_part){ cause, share->cycles };
	}
	qsort_r(ret, n, sizeof(*ret), compare_parts, join->params.causes);
	return n;
}

static int take_shares(struct attribution *join, struct gap *gap)
{
	gap->part = calloc(join->n_listed, sizeof(*gap->part));
	gap->root = calloc(join->n_listed, sizeof(*gap->root));
	if (!gap->part || !gap->root)
		return -ENOMEM;
	gap->n_parts = list_parts(join, highest_rank(join), true, gap->part);
	for (size_t i = 0; i < gap->n_parts; i++) {
		uint32_t starts = join->share[gap->part[i].cause].starts;

		gap->root[gap->n_roots++] = (struct gap_root){ gap->part[i].cause, starts ? starts : 1 };
	}
	gap->n_parts = list_parts(join, 0, false, gap->part);
	return 0;
}

static void close_gap(struct attribution *join)
{
	struct gap *gap = &join->params.gaps[join->current];

	for (size_t i = 0, n = join->n_listed; i < n; i++) {
		uint32_t cause = join->listed[i];

		rename_share(join, cause, timeline_settle(&join->host, cause));
		rename_share(join, cause, timeline_settle(&join->guest, cause));
	}
	rename_share(join, join->pending, CAUSE_ID_UNEXPLAINED);
	join->is_interrupted = false;
	if (take_shares(join, gap) < 0)
		join->error = -ENOMEM;
	for (size_t i = 0; i < join->n_listed; i++)
		join->share[join->listed[i]] = (struct share){ 0 };
	join->n_listed = 0;
	join->current++;
}

/* Give the time from now to @until to the piece's owner, as far as gaps cover it. */
static void account(struct attribution *join, const struct piece *piece, uint64_t until)
{
	while (join->current < join->params.n_gaps && !join->error) {
		const struct gap *gap = &join->params.gaps[join->current];
		uint64_t t0 = gap->t0 > join->now ? gap->t0 : join->now;
		uint64_t t1 = gap->t1 < until ? gap->t1 : until;

		if (gap->t0 >= until)
			break;
		if (t0 < t1)
			add_piece(join, piece, t0, t1);
		if (gap->t1 > until)
			break;
		close_gap(join);
	}
	if (until > join->now)
		join->now = until;
}

static void account_owner(struct attribution *join, uint64_t until)
{
	struct piece piece;

	if (join->current >= join->params.n_gaps || join->params.gaps[join->current].t0 >= until) {
		join->now = until > join->now ? until : join->now;
		return;
	}
	piece = owner_now(join);
	account(join, &piece, until);
}

/* The event that reports an NMI's handler comes at its end. */
static void account_nmi(struct attribution *join, const struct trace_event *event)
{
	uint64_t cycles = tsc_from_ns(event->arg, join->params.cycles_per_second);
	uint64_t begin = event->tsc > cycles ? event->tsc - cycles : 0;
	struct piece piece = {
		.owner = causes_get(join->params.causes, (enum trace_layer)event->layer, CAUSE_NMI, event->name),
		.lane = (enum trace_layer)event->layer,
		.in_guest = event->layer == TRACE_GUEST,
	};

	account_owner(join, begin);
	account(join, &piece, event->tsc);
}

static bool is_open(const struct attribution *join)
{
	return join->current < join->params.n_gaps && join->params.gaps[join->current].t0 <= join->now;
}

static void apply_step(struct attribution *join, const struct timeline_step *step)
{
	const struct attribute_observer *observer = &join->params.observer;
	struct share *share;

	if (step->started != TIMELINE_NONE && observer->started)
		observer->started(observer->ctx, step->started, join->now);
	if (!is_open(join))
		return;
	rename_share(join, step->rename_from, step->rename_to);
	if (step->started != TIMELINE_NONE) {
		share = share_of(join, step->started);
		if (share)
			share->starts++;
	}
	join->params.gaps[join->current].exits += step->is_exit;
}

/*
 * No turn of the probe ends inside a gap. So between two events of its own layer's kernel it is that kernel that runs,
 * also where no event says what it does: entry and exit of an interrupt, the way into a task switch and out of it.
 */
static void see_kernel(struct attribution *join, const struct trace_event *event)
{
	if (!is_open(join) || (enum trace_layer)event->layer != join->subject || event->type == TRACE_LOST)
		return;
	rename_share(join, join->pending, join->kernel);
	join->is_interrupted = true;
}

static struct timeline *timeline_of(struct attribution *join, const struct trace_event *event)
{
	if (event->layer == TRACE_HOST)
		return event->cpu == join->params.host_cpu ? &join->host : NULL;
	return join->params.has_guest && event->cpu == join->params.guest_cpu ? &join->guest : NULL;
}

int attribution_feed(struct attribution *join, const struct trace_event *event)
{
	struct timeline *timeline = timeline_of(join, event);
	struct timeline_step step;

	if (!timeline)
		return join->error;
	if (event->type == TRACE_NMI)
		account_nmi(join, event);
	account_owner(join, event->tsc);
	see_kernel(join, event);
	if (event->type == TRACE_LOST)
		attribution_lost(join, event->arg, event->tsc);
	timeline_feed(timeline, event, &step);
	apply_step(join, &step);
	return join->error;
}

void attribution_lost(struct attribution *join, uint64_t t0, uint64_t t1)
{
	struct gap *gaps = join->params.gaps;
	size_t n = join->params.n_gaps;

	for (size_t i = FIRST_BEYOND(gaps, n, t1, t0); i < n && gaps[i].t0 < t1; i++)
		gaps[i].lost = true;
}

int attribution_finish(struct attribution *join)
{
	account_owner(join, UINT64_MAX);
	for (size_t i = 0; i < join->params.n_gaps && !join->error; i++)
		gap_claim(&join->params.gaps[i], join->params.causes, join->params.emulated);
	return join->error;
}

/* Cycles of a gap that passed in neither layer, and which of the two names has more of them. */
static uint64_t outside_cycles(const struct gap *gap, const struct causes *causes, uint32_t *ret_cause)
{
	uint64_t most = 0;
	uint64_t sum = 0;

	*ret_cause = CAUSE_ID_UNEXPLAINED;
	for (size_t i = 0; i < gap->n_parts; i++) {
		if (cause_rank(causes_class(causes, gap->part[i].cause)) > cause_rank(CAUSE_BELOW_HOST))
			continue;
		sum += gap->part[i].cycles;
		if (gap->part[i].cycles > most) {
			most = gap->part[i].cycles;
			*ret_cause = gap->part[i].cause;
		}
	}
	return sum;
}

bool gap_is_explained(const struct gap *gap, const struct causes *causes)
{
	uint32_t cause;

	return outside_cycles(gap, causes, &cause) <= (gap->t1 - gap->t0) / 2;
}

static bool is_claimable(const struct gap *gap, const struct causes *causes, bool emulated)
{
	unsigned int rank = gap->n_roots ? cause_rank(causes_class(causes, gap->root[0].cause)) : 0;

	if (gap->lost || !gap->n_roots)
		return false;
	if (rank <= cause_rank(CAUSE_BELOW_HOST) || (emulated && rank == cause_rank(CAUSE_KWORKER)))
		return true;
	return gap_is_explained(gap, causes);
}

void gap_claim(struct gap *gap, const struct causes *causes, bool emulated)
{
	bool claimable = is_claimable(gap, causes, emulated);
	uint32_t outside;

	outside_cycles(gap, causes, &outside);
	gap->cause = claimable ? gap->root[0].cause : gap->lost ? CAUSE_ID_UNEXPLAINED : outside;
	gap->single = claimable && gap->n_roots == 1 && gap->root[0].count == 1;
}

void gap_disclaim(struct gap *gap)
{
	gap->vague = true;
	gap->single = false;
	gap->cause = CAUSE_ID_UNEXPLAINED;
	gap->part[0] = (struct gap_part){ CAUSE_ID_UNEXPLAINED, gap->t1 - gap->t0 };
	gap->root[0] = (struct gap_root){ CAUSE_ID_UNEXPLAINED, 1 };
	gap->n_parts = gap->n_roots = 1;
}

void gap_done(struct gap *gap)
{
	free(gap->part);
	free(gap->root);
	gap->part = NULL;
	gap->root = NULL;
	gap->n_parts = gap->n_roots = 0;
}
