// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/run.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "common/fs.h"
#include "common/json.h"
#include "common/log.h"
#include "common/random.h"
#include "common/schema_strings.h"
#include "common/stop.h"
#include "host/apply.h"
#include "host/cpus.h"
#include "host/guest.h"
#include "host/guest_autopsy.h"
#include "host/manifest.h"
#include "host/measure.h"
#include "host/paths.h"
#include "host/settings.h"
#include "reports/kernel_log.h"

#define MAX_TEXT_BYTES (64ULL << 20)
#define RUN_ATTEMPTS 3
#define TSC_TOLERANCE "/sys/module/kvm/parameters/tsc_tolerance_ppm"

/* All that lives longer than one bundle. */
struct run {
	const struct run_options *o;
	json_t *arm;	    /* NULL: not given */
	char *housekeeping; /* CPU list */
	char *state_dir;
	char *guest_kernel;
	char *guest_initramfs;
	char *guest_cmdline;
	struct settings *settings;
	struct agent *agent; /* of the host */
	struct guest guest;  /* kept for consecutive scenarios of one shape */
	json_t *retries;     /* of the present scenario */
	unsigned int probes; /* started on this host */
	struct progress progress;
};

/* To make one bundle. */
struct attempt {
	const struct scenario *scenario;
	enum guest_kind kind;
	uint64_t seed;
	json_t *guest_old; /* array of {"path", "old"}: settings of the guest to be undone */
	json_t *host_facts;
	json_t *guest_facts;
	struct measured measured;
	struct bundle_writer *bundle;
	char start_utc[32];
	bool stalled; /* its guest no longer answered, and nobody knows why */
};

const char *run_mode_name(enum run_mode mode)
{
	static const char *const names[] = { "functional", "qualification" };

	return names[mode];
}

static void utc_now(char ret[static 32])
{
	time_t now = time(NULL);
	struct tm tm;

	strftime(ret, 32, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &tm));
}

static char *symbols_cache(const struct run *r, enum layer layer)
{
	return str_printf("%s/kallsyms-%s.txt", r->state_dir, layer_name(layer));
}

static void forget_symbols(const struct run *r, enum layer layer)
{
	_cleanup_free_ char *cache = symbols_cache(r, layer);

	if (cache)
		unlink(cache);
}

static bool wants_fifo(const struct run *r)
{
	return strcmp(json_get_string(r->arm, "vcpu_policy"), "fifo") == 0;
}

/*
 * An emulated host may calibrate its TSC some 1000 ppm wrong before it refines it. Its KVM then wants to scale a new
 * vCPU's TSC, cannot, and leaves the vCPU with a ratio of 0 (set_tsc_khz() in arch/x86/kvm/x86.c, 6.1): no timer of
 * the guest ever fires. With a wide tolerance it does not try.
 */
static int tolerate_tsc(struct run *r, struct err *err)
{
	int ret = r->o->emulated ? settings_set(r->settings, TSC_TOLERANCE, "100000", err) : 0;

	return ret == -ENOENT ? 0 : ret;
}

static struct domain_memory guest_memory(const struct scenario_shape *shape)
{
	return (struct domain_memory){ .bytes = shape->guest_memory_bytes,
				       .shared_bytes = shape->guest_shared_bytes,
				       .mergeable = shape->guest_mergeable,
				       .pluggable_bytes = shape->guest_pluggable_bytes };
}

static bool guest_fits(const struct guest *guest, const struct scenario_shape *shape)
{
	struct domain_memory want = guest_memory(shape);
	const struct domain_memory *has = &guest->memory;

	return guest->domain && guest->vcpus == shape->guest_cpus && has->bytes == want.bytes &&
	       has->shared_bytes == want.shared_bytes && has->mergeable == want.mergeable &&
	       has->pluggable_bytes == want.pluggable_bytes && domain_is_running(guest->domain);
}

static int start_guest(struct run *r, const struct scenario_shape *shape, struct err *err)
{
	struct guest_params params = { .state_dir = r->state_dir,
				       .kernel = r->guest_kernel,
				       .initramfs = r->guest_initramfs,
				       .cmdline = r->guest_cmdline,
				       .memory = guest_memory(shape),
				       .vcpus = (unsigned int)shape->guest_cpus,
				       .measured_cpu = r->o->cpus.measured,
				       .housekeeping = r->housekeeping,
				       .fifo = wants_fifo(r),
				       .emulated = r->o->emulated,
				       .host_agent = r->agent };
	int ret = tolerate_tsc(r, err);

	forget_symbols(r, LAYER_GUEST);
	return ret < 0 ? ret : guest_start(&params, &r->progress, r->retries, &r->guest, err);
}

/* A guest of the right shape, or none, as the run wants it. */
static int place_guest(struct run *r, const struct attempt *attempt, struct err *err)
{
	const struct scenario_shape *shape = &attempt->scenario->shape;

	if (attempt->kind == GUEST_LIBVIRT && guest_fits(&r->guest, shape))
		return 0;
	guest_stop(&r->guest);
	if (attempt->kind == GUEST_BARE) /* the probe makes it */
		return tolerate_tsc(r, err);
	return attempt->kind == GUEST_LIBVIRT ? start_guest(r, shape, err) : 0;
}

static int get_facts(struct agent *agent, json_t **ret, struct err *err)
{
	_cleanup_json_ json_t *reply = NULL;
	int res = agent_call(agent, json_pack("{s:s}", "op", "facts"), AGENT_TIMEOUT_MS, &reply, err);

	if (res == 0)
		*ret = json_incref(json_object_get(reply, "facts"));
	return res;
}

/* Returns what the run gave, @ret, unless it did not fail and its settings could not be undone. */
static int undo_settings(struct run *r, const struct attempt *attempt, int ret, struct err *err)
{
	struct err why = { "" };
	bool guest_changed;
	int undone = apply_undo(r->settings, r->guest.agent, attempt->guest_old, &guest_changed, &why);

	if (guest_changed)
		guest_stop(&r->guest);
	if (undone == 0)
		return ret;
	if (ret == 0 || ret == -ENOTSUP)
		return err_set(err, -EIO, "%s; try 'vcpulat recover'", why.msg);
	log_error("%s", why.msg);
	return ret;
}

/* Two of vm.stat_interval: a counter's last change is folded, and the fold after it finds nothing. */
static uint64_t guard_ns(void)
{
	_cleanup_free_ char *text = NULL;
	unsigned long seconds = 1;

	if (fs_read_line("/proc/sys/vm/stat_interval", &text, NULL) == 0)
		seconds = strtoul(text, NULL, 10);
	return 2 * 1000000000ULL * (seconds ? seconds : 1);
}

static void fetch_text(struct attempt *attempt, struct agent *agent, json_t *request, const char *file)
{
	_cleanup_free_ char *path = bundle_writer_path(attempt->bundle, file);
	struct err err = { "" };

	if (!path)
		json_decref(request);
	else if (agent_fetch(agent, request, path, MAX_TEXT_BYTES, &err) < 0)
		log_debug("%s", err.msg);
}

/* Megabytes that do not change while a kernel runs: they cross the link once. */
static void fetch_symbols(struct run *r, struct attempt *attempt, struct agent *agent, enum layer layer,
			  const char *file)
{
	_cleanup_free_ char *cache = symbols_cache(r, layer);
	_cleanup_free_ char *path = bundle_writer_path(attempt->bundle, file);
	struct err err = { "" };
	int ret = cache && path ? 0 : -ENOMEM;

	if (ret == 0 && !fs_exists(cache))
		ret = agent_fetch(agent, json_pack("{s:s}", "op", "symbols"), cache, MAX_TEXT_BYTES, &err);
	if (ret == 0)
		ret = fs_copy(cache, path, &err);
	if (ret < 0)
		log_debug("%s", err.msg);
}

static void look_at_stall(struct run *r, struct attempt *attempt)
{
	_cleanup_free_ char *path = bundle_writer_path(attempt->bundle, "stall.txt");
	struct err err = { "" };

	if (path && guest_autopsy(&r->guest, path, &err) < 0)
		log_debug("%s", err.msg);
}

/* Kernel logs and symbols: worth having, no reason to fail. */
static void collect(struct run *r, struct attempt *attempt)
{
	progress_phase(&r->progress, "collect");
	if (r->guest.agent && agent_is_lost(r->guest.agent))
		look_at_stall(r, attempt);
	fetch_text(attempt, r->agent, json_pack("{s:s}", "op", "dmesg"), "dmesg-host.txt");
	fetch_symbols(r, attempt, r->agent, LAYER_HOST, "kallsyms-host.txt");
	progress_tick(&r->progress);
	if (r->guest.agent) {
		_cleanup_free_ char *console = bundle_writer_path(attempt->bundle, "console.log");

		fetch_text(attempt, r->guest.agent, json_pack("{s:s}", "op", "dmesg"), "dmesg-guest.txt");
		fetch_symbols(r, attempt, r->guest.agent, LAYER_GUEST, "kallsyms-guest.txt");
		if (console && fs_exists(r->guest.serial_path))
			fs_copy(r->guest.serial_path, console, NULL);
	}
	if (attempt->host_facts)
		bundle_writer_json(attempt->bundle, "facts-host.json", json_incref(attempt->host_facts), NULL);
	if (attempt->guest_facts)
		bundle_writer_json(attempt->bundle, "facts-guest.json", json_incref(attempt->guest_facts), NULL);
}

static int seal(struct run *r, struct attempt *attempt, const char *reason, struct err *err)
{
	struct manifest_params params = { .options = r->o,
					  .scenario = attempt->scenario,
					  .kind = attempt->kind,
					  .guest = attempt->kind == GUEST_LIBVIRT ? &r->guest : NULL,
					  .measured = &attempt->measured,
					  .arm = r->arm,
					  .host_facts = attempt->host_facts,
					  .guest_facts = attempt->guest_facts,
					  .retries = r->retries,
					  .start_utc = attempt->start_utc,
					  .reason = reason,
					  .seed = attempt->seed };
	_cleanup_json_ json_t *manifest = NULL;
	char end_utc[32];

	utc_now(end_utc);
	params.end_utc = end_utc;
	manifest = manifest_make(&params);
	return manifest ? bundle_writer_seal(attempt->bundle, manifest, err) : -ENOMEM;
}

/* A kernel that dies says so on its console, as its agent cannot. */
static bool tell_last_words(const struct guest *guest, struct err *err)
{
	_cleanup_free_ char *text = NULL;
	const char *finding =
		fs_read(guest->serial_path, MAX_TEXT_BYTES, &text, NULL, NULL) == 0 ? kernel_log_find(text) : NULL;

	if (finding)
		err_set(err, -EIO, "the guest's kernel: %.200s", finding);
	return finding;
}

static int measure_and_seal(struct run *r, struct attempt *attempt, struct err *err)
{
	struct measure_params params = { .scenario = attempt->scenario,
					 .host_agent = r->agent,
					 .guest = attempt->kind == GUEST_LIBVIRT ? &r->guest : NULL,
					 .bare = attempt->kind == GUEST_BARE,
					 .host_cpu = r->o->cpus.measured,
					 .seed = attempt->seed,
					 .guard_ns = guard_ns(),
					 .fifo = attempt->kind != GUEST_NONE && wants_fifo(r),
					 .trace = r->o->trace,
					 .probes = &r->probes,
					 .progress = &r->progress,
					 .bundle = attempt->bundle };
	struct err why = { "" };
	int ret = measure_run(&params, &attempt->measured, err);
	int end;

	/* An emulated host may lose a guest. One that fell silent with a complaint is a result. */
	attempt->stalled =
		r->o->emulated && params.guest && agent_is_lost(r->guest.agent) && !tell_last_words(&r->guest, err);
	collect(r, attempt);
	end = seal(r, attempt, ret < 0 ? err->msg : NULL, &why);
	if (ret == 0 && end < 0)
		return err_set(err, end, "%s", why.msg);
	log_info("%s%s", bundle_writer_dir(attempt->bundle), ret < 0 ? " (partial)" : "");
	stop_release();
	return ret == 0 && stop_requested() ? err_set(err, -EINTR, "interrupted") : ret;
}

static int prepare_attempt(struct run *r, struct attempt *attempt, struct err *err)
{
	_cleanup_free_ char *name = str_printf("%s-%s", attempt->scenario->name, guest_kind_name(attempt->kind));
	int ret = place_guest(r, attempt, err);

	if (ret == 0)
		ret = get_facts(r->agent, &attempt->host_facts, err);
	if (ret == 0 && r->guest.agent)
		ret = get_facts(r->guest.agent, &attempt->guest_facts, err);
	if (ret == 0 && r->guest.agent)
		ret = checks_guest(attempt->scenario, r->guest.agent, err);
	if (ret == 0)
		ret = apply_settings(attempt->scenario, r->settings, r->guest.agent, attempt->guest_old, err);
	if (ret < 0)
		return ret;
	return name ? bundle_writer_open(r->o->out_dir, name, &attempt->bundle, err) : -ENOMEM;
}

static void attempt_done(struct attempt *attempt)
{
	measured_done(&attempt->measured);
	bundle_writer_close(attempt->bundle);
	json_decref(attempt->guest_old);
	json_decref(attempt->host_facts);
	json_decref(attempt->guest_facts);
}

/* The guest of an emulated host may stop answering: what it left is kept aside, and the run is to be repeated. */
static int set_aside(struct run *r, struct attempt *attempt, struct err *err)
{
	json_t *retry = json_pack("{s:s, s:s}", "what", "run", "reason", err->msg);

	log_info("%s, guest %s: %s; once more", attempt->scenario->name, guest_kind_name(attempt->kind), err->msg);
	json_array_append_new(r->retries, retry);
	return bundle_writer_set_aside(attempt->bundle, err) < 0 ? -EIO : -EAGAIN;
}

static int start_agent(struct run *r, struct err *err)
{
	_cleanup_free_ char *program = paths_agent();

	return program ? agent_start_local(program, r->housekeeping, &r->agent, err) : -ENOMEM;
}

/* A run that lost the host's agent does not take the later ones along. */
static int renew_agent(struct run *r, struct err *err)
{
	if (r->agent && !agent_is_lost(r->agent))
		return 0;
	agent_quit(r->agent);
	r->agent = NULL;
	return start_agent(r, err);
}

/* Returns -EAGAIN after a stall, unless this is the @last attempt. */
static int run_once(struct run *r, const struct scenario *scenario, enum guest_kind kind, uint64_t seed, bool last,
		    struct err *err)
{
	_cleanup_(attempt_done) struct attempt attempt = { .scenario = scenario, .kind = kind, .seed = seed };
	int ret;

	attempt.guest_old = json_array();
	utc_now(attempt.start_utc);
	r->progress.scenario = scenario->name;
	r->progress.guest = guest_kind_name(kind);
	r->progress.step = r->progress.steps = 0;
	r->progress.gaps = r->progress.left_s = 0;
	ret = renew_agent(r, err);
	if (ret == 0)
		ret = prepare_attempt(r, &attempt, err);
	if (ret == 0)
		ret = measure_and_seal(r, &attempt, err);
	ret = undo_settings(r, &attempt, ret, err);
	/* What goes on in a guest that failed is not known; the next run shall not inherit it. A skip began nothing. */
	if (ret < 0 && (ret != -ENOTSUP || attempt.bundle))
		guest_stop(&r->guest);
	return attempt.stalled && !last ? set_aside(r, &attempt, err) : ret;
}

static int run_one(struct run *r, const struct scenario *scenario, enum guest_kind kind, uint64_t seed, struct err *err)
{
	int ret = -EAGAIN;

	json_array_clear(r->retries);
	json_array_extend(r->retries, json_object_get(r->arm, "retries")); /* of this host's boot */
	for (int i = 1; i <= RUN_ATTEMPTS && ret == -EAGAIN; i++)
		ret = run_once(r, scenario, kind, seed, i == RUN_ATTEMPTS, err);
	return ret;
}

/* A spinning FIFO vCPU starves every ordinary task of its CPU: a primer there would wait for ever. */
static int check_policy(const struct run *r, const struct scenario *s, enum guest_kind kind, struct err *err)
{
	if (kind != GUEST_NONE && wants_fifo(r) && s->has_primer && s->primer.layer == LAYER_HOST)
		return err_set(err, -ENOTSUP,
			       "its primer acts on the host's measured CPU, where a FIFO vCPU lets nothing run");
	return 0;
}

static bool is_done(const struct run *r, const struct scenario *scenario, enum guest_kind kind)
{
	_cleanup_free_ char *name = str_printf("%s-%s", scenario->name, guest_kind_name(kind));

	return name && schema_strings_has(r->o->done, name);
}

static int run_all(struct run *r, const struct scenario *scenarios, size_t count, uint64_t seed, struct run_counts *c,
		   struct err *err)
{
	for (int kind = 0; kind < GUEST_MAX; kind++) {
		for (size_t i = 0; i < count; i++) {
			struct err why = { "" };
			int ret;

			if (!(scenarios[i].shape.guests & r->o->guests & 1U << kind))
				continue;
			if (is_done(r, &scenarios[i], (enum guest_kind)kind)) {
				c->complete++;
				continue;
			}
			ret = checks_scenario(&scenarios[i], &why);
			if (ret == 0)
				ret = check_policy(r, &scenarios[i], (enum guest_kind)kind, &why);
			if (ret == 0)
				ret = run_one(r, &scenarios[i], (enum guest_kind)kind,
					      seed + 1000003 * (uint64_t)kind + i, &why);
			if (ret == -EINTR)
				return err_set(err, ret, "%s", why.msg[0] ? why.msg : "interrupted");
			if (ret < 0)
				log_error("%s%s, guest %s: %s", ret == -ENOTSUP ? "skipped, " : "", scenarios[i].name,
					  guest_kind_name((enum guest_kind)kind),
					  why.msg[0] ? why.msg : strerror(-ret));
			c->complete += ret == 0;
			c->skipped += ret == -ENOTSUP;
			c->failed += ret < 0 && ret != -ENOTSUP;
		}
	}
	return 0;
}

static int read_cmdline(const char *file, char **ret, struct err *err)
{
	_cleanup_free_ char *dir = paths_guest_dir();
	_cleanup_free_ char *path = dir ? str_printf("%s/%s", dir, file) : NULL;

	return path ? fs_read_line(path, ret, err) : -ENOMEM;
}

/*
 * The arm's, or the usual one. What guest/cmdline-emulated adds: TCG does not intercept a guest's XSETBV, and KVM then
 * tells the guest a wrong size of its extended state; the rest saves a nested guest about 9 s of its start (8,000 reads
 * of PCI buses that are not there, a mouse to wait for, and drivers that nobody in it uses).
 */
static int find_guest_cmdline(struct run *r, struct err *err)
{
	const char *chosen = json_get_string(json_object_get(r->arm, "guest"), "cmdline");
	_cleanup_free_ char *usual = NULL;
	_cleanup_free_ char *added = NULL;
	int ret = read_cmdline("cmdline", &usual, err);

	if (ret == 0)
		ret = read_cmdline("cmdline-emulated", &added, err);
	if (ret < 0)
		return ret;
	r->guest_cmdline = str_printf("%s%s%s", chosen[0] ? chosen : usual, r->o->emulated ? " " : "",
				      r->o->emulated ? added : "");
	return r->guest_cmdline ? 0 : -ENOMEM;
}

static int find_guest_kernel(struct run *r, struct err *err)
{
	r->guest_initramfs = r->o->guest_initramfs ? strdup(r->o->guest_initramfs) : paths_guest_initramfs();
	r->guest_kernel = r->o->guest_kernel ? strdup(r->o->guest_kernel) : NULL;
	if (!r->guest_kernel)
		return err_set(err, -ENOENT,
			       "a guest wants a kernel: give --guest-kernel IMAGE ('vcpulat kernel build stock' "
			       "makes one), or --guest none");
	return find_guest_cmdline(r, err);
}

static int open_run(struct run *r, bool with_guest, struct err *err)
{
	int ret = progress_open(&r->progress, r->o->progress_path, err);

	if (ret == 0 && r->o->arm_path)
		ret = json_read(r->o->arm_path, &r->arm, err);
	if (ret == 0 && with_guest)
		ret = find_guest_kernel(r, err);
	if (ret < 0)
		return ret;
	r->retries = json_array();
	r->housekeeping = cpus_format(&r->o->cpus.housekeeping);
	r->state_dir = settings_dir();
	if (!r->retries || !r->housekeeping || !r->state_dir)
		return -ENOMEM;
	/* Whatever this process and its children do is not to be done on the measured CPU. */
	if (sched_setaffinity(0, sizeof(r->o->cpus.housekeeping), &r->o->cpus.housekeeping) < 0)
		return err_sys(err, -errno, "cannot move to the housekeeping CPUs %s", r->housekeeping);
	ret = settings_open(r->state_dir, &r->settings, err);
	return ret < 0 ? ret : start_agent(r, err);
}

static void remove_files(const struct run *r)
{
	static const char *const names[] = { "guest-kernel", "guest-initramfs", "console.log" };

	forget_symbols(r, LAYER_HOST);
	forget_symbols(r, LAYER_GUEST);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		_cleanup_free_ char *path = str_printf("%s/%s", r->state_dir, names[i]);

		if (path)
			unlink(path);
	}
}

static void close_run(struct run *r)
{
	guest_stop(&r->guest);
	agent_quit(r->agent);
	if (r->settings) /* ours alone: we hold the lock */
		remove_files(r);
	settings_close(r->settings);
	progress_close(&r->progress);
	json_decref(r->arm);
	json_decref(r->retries);
	free(r->housekeeping);
	free(r->state_dir);
	free(r->guest_kernel);
	free(r->guest_initramfs);
	free(r->guest_cmdline);
}

int run_scenarios(const struct run_options *options, const struct scenario *scenarios, size_t count,
		  struct run_counts *ret, struct err *err)
{
	_cleanup_(close_run) struct run r = { .o = options,
					      .progress = { .fd = -1, .phase = "", .scenario = "", .guest = "" } };
	bool with_guest = false;
	int res;

	*ret = (struct run_counts){ 0 };
	for (size_t i = 0; i < count; i++)
		with_guest |= scenarios[i].shape.guests & options->guests & 1U << GUEST_LIBVIRT;
	res = open_run(&r, with_guest, err);
	if (res == 0)
		res = run_all(&r, scenarios, count, options->has_seed ? options->seed : random_seed(), ret, err);
	if (res == -EINTR)
		stop_acknowledge(); /* the way back must not be cut short */
	if (res == 0)
		progress_phase(&r.progress, "done");
	return res;
}
