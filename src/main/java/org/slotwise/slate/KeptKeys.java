package org.slotwise.slate;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import org.slotwise.internal.Ops;
import org.slotwise.internal.Scalars;

/**
 * Keys and values of attention that are looked at again and again by one place at a time: those of
 * a memory, or of all places so far. Nothing is recorded for gradients.
 */
final class KeptKeys {

    private final NDArray keys; // (B H, places, D / H)
    private final NDArray values; // (B H, places, D / H)
    private final NDArray scale; // 1 / sqrt(D / H)
    private long count;

    private KeptKeys(NDArray keys, NDArray values, long count) {
        this.keys = keys;
        this.values = values;
        this.count = count;
        scale = Scalars.like(keys, 1 / Math.sqrt((double) keys.getShape().get(2)));
    }

    /** Those of a whole memory, (B, K, D) each. */
    static KeptKeys of(NDArray keys, NDArray values, int heads) {
        long count = keys.getShape().get(1);
        return new KeptKeys(byHeads(keys, heads), byHeads(values, heads), count);
    }

    private static NDArray byHeads(NDArray x, int heads) {
        Shape s = x.getShape();
        long size = s.get(2) / heads;
        return x.reshape(s.get(0), s.get(1), heads, size)
                .transpose(0, 2, 1, 3)
                .reshape(s.get(0) * heads, s.get(1), size);
    }

    /** Room for so many places, none of which is taken yet. */
    static KeptKeys room(NDArray like, long batch, int heads, long places, long dim) {
        Shape shape = new Shape(batch * heads, places, dim / heads);
        return new KeptKeys(
                Scalars.full(like, shape, 0, like.getDataType()),
                Scalars.full(like, shape, 0, like.getDataType()),
                0);
    }

    /** Adds a place: its key and value, (B, 1, D) each. */
    void add(NDArray key, NDArray value) {
        Shape one = new Shape(keys.getShape().get(0), 1, keys.getShape().get(2));
        Ops.overwrite(keys.get(":, {}:{}", count, count + 1), key.reshape(one));
        Ops.overwrite(values.get(":, {}:{}", count, count + 1), value.reshape(one));
        count++;
    }

    /** What a place with the query q (B, 1, D) hears: (B, 1, D), heads side by side. */
    NDArray attend(NDArray q) {
        NDArray k = taken(keys);
        NDArray rows = q.mul(scale).reshape(k.getShape().get(0), 1, k.getShape().get(2));
        NDArray a = rows.batchMatMul(k.swapAxes(1, 2)).softmax(2); // (B H, 1, places)
        return a.batchMatMul(taken(values)).reshape(q.getShape());
    }

    private NDArray taken(NDArray all) {
        return count == all.getShape().get(1) ? all : all.get(":, 0:{}", count);
    }
}
