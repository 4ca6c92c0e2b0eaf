/* A stand-in for NVIDIA's libnvidia-ml.so.1: the C interface that nvidia-ml-py calls, and nothing of NVIDIA's code.
 *
 * The file that FAKE_NVML names plays the cards; it is read again whenever it changes, so a test can change a card
 * while a sampler runs. Lines are `key=value`, or `key.N=value` for card N alone:
 *   count driver cuda name uuid memory used busy power limit heat clock throttled (a mask of bits) energy (counter in
 *   mJ; by default the power over time) mig (instances, or -1: cannot be divided) pid nvlink (counter in KiB) gpm
 *   (1: offered) sm (percent) pcie (KiB/s)
 *   fail.FUNCTION=CODE       what a function answers instead
 *   lost.N=1                 card N answers nothing but "GPU is lost"
 * Types and numbers: https://docs.nvidia.com/deploy/nvml-api/ */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum { OK, UNINITIALIZED, INVALID, NOT_SUPPORTED, NOT_FOUND = 6, TOO_SMALL = 7, LOST = 15, VERSION = 25 };
enum { CARDS = 16, SLICES = 7 };

typedef struct { int card, slice; } Device; /* slice -1: the whole card */
typedef struct { int card; } Sample;

static Device whole[CARDS], slices[CARDS][SLICES];
static int users;
static double millijoules[CARDS], counted_at[CARDS];
static char *text;
static struct stat seen;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void read_file(void) {
  const char *path = getenv("FAKE_NVML");
  struct stat now;
  if (!path || stat(path, &now)) return;
  if (text && now.st_ino == seen.st_ino && now.st_mtim.tv_nsec == seen.st_mtim.tv_nsec && now.st_size == seen.st_size)
    return;
  FILE *file = fopen(path, "r");
  if (!file) return;
  char *fresh = calloc(1, (size_t)now.st_size + 1);
  size_t read = fread(fresh, 1, (size_t)now.st_size, file);
  fresh[read] = 0;
  fclose(file);
  free(text);
  text = fresh;
  seen = now;
}

static int find(const char *key, char *out, size_t size) {
  size_t length = strlen(key);
  pthread_mutex_lock(&lock);
  read_file();
  int found = 0;
  for (char *line = text; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
    if (!strncmp(line, key, length) && line[length] == '=') {
      snprintf(out, size, "%.*s", (int)strcspn(line + length + 1, "\n"), line + length + 1);
      found = 1;
    }
  pthread_mutex_unlock(&lock);
  return found;
}

static const char *words(int card, const char *key, const char *otherwise, char *out, size_t size) {
  char own[64];
  snprintf(own, sizeof own, "%s.%d", key, card);
  if (!find(own, out, size) && !find(key, out, size)) snprintf(out, size, "%s", otherwise);
  return out;
}

static long long number(int card, const char *key, long long otherwise) {
  char out[64], fallback[32];
  snprintf(fallback, sizeof fallback, "%lld", otherwise);
  return strtoll(words(card, key, fallback, out, sizeof out), NULL, 0);
}

static int refusal(const char *function, int card) {
  char key[96], out[32];
  snprintf(key, sizeof key, "fail.%s", function);
  if (find(key, out, sizeof out) && atoi(out)) return atoi(out);
  if (!users) return UNINITIALIZED;
  return card >= 0 && number(card, "lost", 0) ? LOST : OK;
}

static int copied(const char *from, char *to, unsigned size) {
  if (strlen(from) + 1 > size) return TOO_SMALL;
  strcpy(to, from);
  return OK;
}

#define SYSTEM() do { int no_ = refusal(__func__, -1); if (no_) return no_; } while (0)
#define CARD(device) do { int no_ = refusal(__func__, (device)->card); if (no_) return no_; } while (0)
/* Only memory, name and ids are told of an instance of a divided card. */
#define WHOLE(device) do { CARD(device); if ((device)->slice >= 0) return NOT_SUPPORTED; } while (0)

int nvmlInitWithFlags(unsigned flags) {
  (void)flags;
  char out[32];
  if (find("fail.nvmlInitWithFlags", out, sizeof out) && atoi(out)) return atoi(out);
  if (!users++)
    for (int card = 0; card < CARDS; card++) {
      whole[card] = (Device){card, -1};
      for (int slice = 0; slice < SLICES; slice++) slices[card][slice] = (Device){card, slice};
      counted_at[card] = seconds();
    }
  return OK;
}
int nvmlInit_v2(void) { return nvmlInitWithFlags(0); }
int nvmlShutdown(void) { return users ? (users--, OK) : UNINITIALIZED; }
const char *nvmlErrorString(int code) {
  switch (code) {
    case UNINITIALIZED: return "Uninitialized";
    case INVALID: return "Invalid Argument";
    case NOT_SUPPORTED: return "Not Supported";
    case NOT_FOUND: return "Not Found";
    case LOST: return "GPU is lost";
    default: return "Unknown Error";
  }
}

int nvmlSystemGetDriverVersion(char *out, unsigned size) {
  SYSTEM();
  char value[64];
  return copied(words(-1, "driver", "580.65.06", value, sizeof value), out, size);
}
int nvmlSystemGetCudaDriverVersion_v2(int *version) { SYSTEM(); *version = (int)number(-1, "cuda", 13000); return OK; }
int nvmlDeviceGetCount_v2(unsigned *count) { SYSTEM(); *count = (unsigned)number(-1, "count", 1); return OK; }
int nvmlDeviceGetHandleByIndex_v2(unsigned index, Device **device) {
  SYSTEM();
  if (index >= number(-1, "count", 1) || index >= CARDS) return INVALID;
  *device = &whole[index];
  return OK;
}
int nvmlDeviceGetIndex(Device *device, unsigned *index) { CARD(device); *index = (unsigned)device->card; return OK; }
int nvmlDeviceGetName(Device *device, char *out, unsigned size) {
  CARD(device);
  char value[80], name[96];
  words(device->card, "name", "NVIDIA H100 80GB HBM3", value, sizeof value);
  snprintf(name, sizeof name, device->slice < 0 ? "%s" : "%s MIG 2g.20gb", value);
  return copied(name, out, size);
}
int nvmlDeviceGetUUID(Device *device, char *out, unsigned size) {
  CARD(device);
  char value[64];
  if (device->slice < 0) snprintf(value, sizeof value, "GPU-00000000-0000-0000-0000-%012d", device->card);
  else snprintf(value, sizeof value, "MIG-00000000-0000-0000-%04d-%012d", device->slice, device->card);
  return copied(value, out, size);
}
int nvmlDeviceGetCudaComputeCapability(Device *device, int *major, int *minor) {
  CARD(device);
  *major = 9, *minor = 0;
  return OK;
}

typedef struct { unsigned long long total, unused, used; } Memory;
int nvmlDeviceGetMemoryInfo(Device *device, Memory *memory) {
  CARD(device);
  memory->total = (unsigned long long)number(device->card, "memory", 80LL << 30);
  memory->used = (unsigned long long)number(device->card, "used", 1LL << 30);
  memory->unused = memory->total - memory->used;
  return OK;
}
int nvmlDeviceGetUtilizationRates(Device *device, unsigned *rates) {
  WHOLE(device);
  rates[0] = (unsigned)number(device->card, "busy", 50), rates[1] = 20;
  return OK;
}
int nvmlDeviceGetPowerUsage(Device *device, unsigned *milliwatts) {
  WHOLE(device);
  *milliwatts = (unsigned)number(device->card, "power", 300000);
  return OK;
}
int nvmlDeviceGetEnforcedPowerLimit(Device *device, unsigned *milliwatts) {
  WHOLE(device);
  *milliwatts = (unsigned)number(device->card, "limit", 700000);
  return OK;
}
int nvmlDeviceGetTotalEnergyConsumption(Device *device, unsigned long long *energy) {
  WHOLE(device);
  int card = device->card;
  double now = seconds();
  millijoules[card] += (now - counted_at[card]) * (double)number(card, "power", 300000);
  counted_at[card] = now;
  *energy = (unsigned long long)number(card, "energy", (long long)millijoules[card]);
  return OK;
}
int nvmlDeviceGetTemperature(Device *device, int sensor, unsigned *degrees) {
  (void)sensor;
  WHOLE(device);
  *degrees = (unsigned)number(device->card, "heat", 55);
  return OK;
}
int nvmlDeviceGetClockInfo(Device *device, int kind, unsigned *mhz) {
  (void)kind;
  WHOLE(device);
  *mhz = (unsigned)number(device->card, "clock", 1755);
  return OK;
}
int nvmlDeviceGetMaxClockInfo(Device *device, int kind, unsigned *mhz) {
  (void)kind;
  WHOLE(device);
  *mhz = 1980;
  return OK;
}
int nvmlDeviceGetCurrentClocksEventReasons(Device *device, unsigned long long *mask) {
  WHOLE(device);
  *mask = (unsigned long long)number(device->card, "throttled", 0);
  return OK;
}
int nvmlDeviceGetPcieThroughput(Device *device, int counter, unsigned *kib) {
  (void)counter;
  WHOLE(device);
  *kib = (unsigned)number(device->card, "pcie", 1000);
  return OK;
}

typedef struct {
  unsigned field, scope;
  long long timestamp, latency;
  int kind, answer;
  union { double real; unsigned long long whole; } value;
} Field;
int nvmlDeviceGetFieldValues(Device *device, int count, Field *fields) {
  WHOLE(device);
  long long links = number(device->card, "nvlink", -1);
  for (int place = 0; place < count; place++) {
    fields[place].answer = links < 0 ? NOT_SUPPORTED : OK;
    fields[place].value.whole = (unsigned long long)links;
  }
  return OK;
}

typedef struct { unsigned pid; unsigned long long memory; unsigned instance, compute; } Process;
int nvmlDeviceGetComputeRunningProcesses_v3(Device *device, unsigned *count, Process *processes) {
  CARD(device);
  char value[256], *rest = value;
  words(device->card, "pid", "", value, sizeof value);
  unsigned room = *count, found = 0;
  for (char *word; (word = strsep(&rest, ",")) != NULL;)
    if (*word && found++ < room && processes)
      processes[found - 1] = (Process){(unsigned)atoi(word), 1ULL << 30, ~0U, ~0U};
  *count = found;
  return found > room ? TOO_SMALL : OK;
}

int nvmlDeviceGetMigMode(Device *device, unsigned *current, unsigned *pending) {
  CARD(device);
  long long divided = number(device->card, "mig", -1);
  if (divided < 0) return NOT_SUPPORTED;
  *current = *pending = divided > 0;
  return OK;
}
int nvmlDeviceGetMaxMigDeviceCount(Device *device, unsigned *count) { CARD(device); *count = SLICES; return OK; }
int nvmlDeviceGetMigDeviceHandleByIndex(Device *device, unsigned index, Device **instance) {
  CARD(device);
  if (index >= number(device->card, "mig", 0)) return NOT_FOUND;
  *instance = &slices[device->card][index];
  return OK;
}

typedef struct { unsigned version, supported; } Support;
int nvmlGpmQueryDeviceSupport(Device *device, Support *support) {
  WHOLE(device);
  support->supported = (unsigned)number(device->card, "gpm", 0);
  return OK;
}
int nvmlGpmSampleAlloc(Sample **sample) { SYSTEM(); *sample = calloc(1, sizeof **sample); return OK; }
int nvmlGpmSampleFree(Sample *sample) { free(sample); return OK; }
int nvmlGpmSampleGet(Device *device, Sample *sample) { WHOLE(device); sample->card = device->card; return OK; }
typedef struct { unsigned metric; int answer; double value; const char *names[3]; } Metric;
typedef struct { unsigned version, count; Sample *before, *after; Metric metrics[]; } Metrics;
int nvmlGpmMetricsGet(Metrics *asked) {
  SYSTEM();
  if (asked->version != 1) return VERSION;
  for (unsigned place = 0; place < asked->count; place++) {
    int card = asked->before->card, activity = asked->metrics[place].metric == 2;
    asked->metrics[place].answer = OK;
    asked->metrics[place].value = activity ? (double)number(card, "sm", 40) : 10.0;
  }
  return OK;
}
