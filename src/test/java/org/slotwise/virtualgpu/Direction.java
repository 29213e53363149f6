package org.slotwise.virtualgpu;

/** Which way something is copied. */
enum Direction {
    /** To the GPU: costs a wait for the copy. */
    FROM_HOST,

    /** From the GPU: costs a wait for everything that the GPU still has to do. */
    TO_HOST
}
