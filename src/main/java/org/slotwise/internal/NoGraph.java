package org.slotwise.internal;

import ai.djl.pytorch.jni.JniUtils;
import java.util.function.Supplier;

/**
 * Runs operations without recording a graph for gradients.
 *
 * <p>DJL switches recording off only in the thread that loaded the engine. In every other thread an
 * operation on a trainable parameter records a graph, and keeps its operands alive, also when
 * nobody asked for gradients; this class closes that gap.
 */
public final class NoGraph {

    private NoGraph() {}

    /**
     * Whether operations in this thread record a graph, if an operand asks for gradients.
     *
     * @return true while recording is on
     */
    public static boolean isRecording() {
        return JniUtils.isGradMode();
    }

    /**
     * Runs something without recording a graph in this thread.
     *
     * @param work what to run
     * @param <T> what it gives
     * @return its result
     */
    public static <T> T during(Supplier<T> work) {
        if (!isRecording()) {
            return work.get();
        }
        JniUtils.setGradMode(false);
        try {
            return work.get();
        } finally {
            JniUtils.setGradMode(true);
        }
    }

    /**
     * Runs something, and records a graph only in training.
     *
     * @param training whether the block is being trained
     * @param work what to run
     * @param <T> what it gives
     * @return its result
     */
    public static <T> T unless(boolean training, Supplier<T> work) {
        return training ? work.get() : during(work);
    }
}
