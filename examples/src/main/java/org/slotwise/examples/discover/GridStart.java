package org.slotwise.examples.discover;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.util.List;
import java.util.Random;
import org.slotwise.grouping.AttentionTrace;
import org.slotwise.grouping.InvariantSlotAttention;
import org.slotwise.grouping.PositionedSlots;

/**
 * Slots start at the points of a grid, moved a little in training.
 *
 * @param rows from 0 to 1: a slot at each row
 * @param columns in each column
 */
record GridStart(List<Float> rows, List<Float> columns) implements SlotStart {

    @Override
    public int slots() {
        return rows.size() * columns.size();
    }

    @Override
    public SlotStart withSlots(int slots) {
        if (slots != slots()) {
            throw new IllegalArgumentException(
                    "slots of this model start on a grid of "
                            + slots()
                            + ": it must be "
                            + slots()
                            + ", got "
                            + slots);
        }
        return this;
    }

    /** Row and column of each slot (B, K, 2). */
    @Override
    public NDArray draw(NDManager manager, long images, float jitter, Random random) {
        float[] positions = new float[(int) images * slots() * 2];
        int at = 0;
        for (int b = 0; b < images; b++) {
            for (float row : rows) {
                for (float column : columns) {
                    positions[at++] = moved(row, jitter, random);
                    positions[at++] = moved(column, jitter, random);
                }
            }
        }
        try (NDArray buffer = manager.create(positions, new Shape(images, slots(), 2))) {
            return buffer.duplicate();
        }
    }

    private static float moved(float place, float jitter, Random random) {
        return place + (jitter == 0 ? 0 : jitter * (2 * random.nextFloat() - 1));
    }

    @Override
    public PositionedSlots group(
            InvariantSlotAttention grouping,
            Scene scene,
            NDArray draw,
            int iterations,
            boolean training) {
        return grouping.group(
                scene.store(), scene.features(), scene.slots(), draw, iterations, training);
    }

    @Override
    public AttentionTrace<PositionedSlots> trace(
            InvariantSlotAttention grouping, Scene scene, NDArray draw, int iterations) {
        return grouping.trace(scene.store(), scene.features(), scene.slots(), draw, iterations);
    }
}
