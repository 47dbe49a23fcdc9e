/* A queue of fixed-size messages between one writer and one reader, in shared memory.
 *
 * The writer owns `tail`, the reader owns `head`. Both only ever grow; a slot is found by masking with
 * RING_SLOTS - 1. One slot is never used, so that a full ring differs from an empty one. */
#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define RING_SLOTS 256      /* must be a power of two */
#define SLOT_BYTES 192
#define RING_MAGIC 0x52494e47u
#define SPIN_LIMIT 2000     /* turns of the busy loop before the caller is told to sleep */

struct slot {
    uint32_t length;
    uint32_t checksum;
    unsigned char body[SLOT_BYTES];
};

struct ring {
    uint32_t magic;
    uint32_t version;
    _Atomic uint64_t head;
    _Atomic uint64_t tail;
    _Atomic uint32_t closed;
    uint64_t dropped;
    struct slot slots[RING_SLOTS];
};

/* Fletcher-32, as in RFC 1146, over bytes. */
static uint32_t checksum_of(const unsigned char *bytes, size_t count)
{
    uint32_t low = 0xffff, high = 0xffff;
    while (count--) {
        low = (low + *bytes++) % 65535;
        high = (high + low) % 65535;
    }
    return high << 16 | low;
}

/* Returns NULL when memory is short. The caller frees it with ring_free. */
struct ring *ring_new(void)
{
    struct ring *ring = aligned_alloc(64, sizeof *ring);
    if (!ring)
        return NULL;
    memset(ring, 0, sizeof *ring);
    ring->magic = RING_MAGIC;
    ring->version = 3;
    return ring;
}

void ring_free(struct ring *ring)
{
    if (ring)
        ring->magic = 0;    /* a second free is found out */
    free(ring);
}

size_t ring_used(const struct ring *ring)
{
    uint64_t tail = atomic_load_explicit(&ring->tail, memory_order_acquire);
    return (size_t)(tail - atomic_load_explicit(&ring->head, memory_order_acquire));
}

/* 0, or -EMSGSIZE for a message that is too long, -EPIPE after ring_close, -EAGAIN when the ring is full. */
int ring_put(struct ring *ring, const void *message, size_t length)
{
    if (length > SLOT_BYTES)
        return -EMSGSIZE;
    if (atomic_load(&ring->closed))
        return -EPIPE;
    if (ring_used(ring) == RING_SLOTS - 1) {
        ring->dropped++;
        return -EAGAIN;
    }
    uint64_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
    struct slot *slot = &ring->slots[tail & (RING_SLOTS - 1)];
    memcpy(slot->body, message, length);
    slot->length = (uint32_t)length;
    slot->checksum = checksum_of(slot->body, length);
    atomic_store_explicit(&ring->tail, tail + 1, memory_order_release);
    return 0;
}

/* The length of the message, or -EAGAIN when there is none, -EIO when its checksum is wrong; it is skipped then. */
int ring_get(struct ring *ring, void *target)
{
    uint64_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
    if (head == atomic_load_explicit(&ring->tail, memory_order_acquire))
        return atomic_load(&ring->closed) ? 0 : -EAGAIN;
    const struct slot *slot = &ring->slots[head & (RING_SLOTS - 1)];
    int length = (int)slot->length;
    int whole = length <= SLOT_BYTES && checksum_of(slot->body, slot->length) == slot->checksum;
    if (whole)
        memcpy(target, slot->body, slot->length);
    atomic_store_explicit(&ring->head, head + 1, memory_order_release);
    return whole ? length : -EIO;
}

/* Like ring_get, but looks again up to SPIN_LIMIT times. Returns -ETIMEDOUT when nothing has come. */
int ring_wait(struct ring *ring, void *target)
{
    for (int turn = 0; turn < SPIN_LIMIT; turn++) {
        int length = ring_get(ring, target);
        if (length != -EAGAIN)
            return length;
    }
    return -ETIMEDOUT;
}

void ring_close(struct ring *ring)
{
    atomic_store(&ring->closed, 1u);
}
