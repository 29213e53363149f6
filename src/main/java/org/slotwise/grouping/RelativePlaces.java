package org.slotwise.grouping;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import org.slotwise.internal.FourierFeatures;
import org.slotwise.internal.Scalars;

/**
 * A linear map of the Fourier features of places seen from slots, which are never made.
 *
 * <pre>{@code
 * sin(a (x - c)) = sin(a x) cos(a c) - cos(a x) sin(a c)        cosines likewise
 * }</pre>
 *
 * <p>so that it is the map that turns with a slot, and not all places that are seen from it: their
 * sines and cosines, the same for all slots, take one product with it.
 */
final class RelativePlaces {

    private final NDArray places; // from -1 to 1: (N, 2)
    private final NDArray waves; // of places, and ones: (N, 4 L + 1)
    private final int frequencies;

    /**
     * Describes places.
     *
     * @param positions (N, 2), from 0 to 1
     * @param frequencies L, at least 0
     */
    RelativePlaces(NDArray positions, int frequencies) {
        this.frequencies = frequencies;
        places = centred(positions);
        NDArray ones = places.get(":, :1").onesLike();
        waves =
                frequencies == 0
                        ? ones
                        : FourierFeatures.of(doubled(places), frequencies)
                                .get(":, 2:")
                                .concat(ones, 1);
    }

    /**
     * The part of the map that does not depend on a slot.
     *
     * @param weight (R, 2 (1 + 2 L))
     * @return (N, R)
     */
    NDArray fixed(NDArray weight) {
        return places.matMul(along(weight));
    }

    /**
     * The rest of the map of phi(4 (p - c)).
     *
     * @param weight (R, 2 (1 + 2 L))
     * @param c where slots see places from: (B, K, 2), from 0 to 1
     * @return (B, K, N, R)
     */
    NDArray seenFrom(NDArray weight, NDArray c) {
        Shape s = c.getShape();
        long rows = s.get(0) * s.get(1);
        NDArray from = centred(c).reshape(rows, 2);
        NDArray map = from.matMul(along(weight)).neg().expandDims(1); // (B K, 1, R)
        if (frequencies > 0) {
            map = turned(weight, from).concat(map, 1);
        }
        NDArray all = waves.expandDims(0).broadcast(rows, waves.getShape().get(0), -1);
        return all.batchMatMul(map)
                .reshape(s.get(0), s.get(1), waves.getShape().get(0), weight.getShape().get(0));
    }

    /** The map of sines and cosines as it is for each slot: (B K, 4 L, R). */
    private NDArray turned(NDArray weight, NDArray from) {
        long r = weight.getShape().get(0);
        NDArray pairs = weight.get(":, 2:").reshape(r, frequencies, 2, 2);
        NDArray ofSines = pairs.get(":, :, :1");
        NDArray ofCosines = pairs.get(":, :, 1:");
        NDArray straight = pairs.reshape(r, -1).transpose();
        NDArray across = ofCosines.concat(ofSines.neg(), 2).reshape(r, -1).transpose();
        NDList angles = new NDList();
        for (int k = 1; k <= frequencies; k++) {
            NDArray angle = from.mul(Scalars.like(from, k * Math.PI));
            angles.add(angle);
            angles.add(angle);
        }
        NDArray angle = NDArrays.concat(angles, 1).expandDims(2); // (B K, 4 L, 1)
        return straight.mul(angle.cos()).add(across.mul(angle.sin()));
    }

    /** What the numbers themselves, before any sine, are mapped by: (2, R). */
    private static NDArray along(NDArray weight) {
        return doubled(weight.get(":, :2").transpose());
    }

    private static NDArray centred(NDArray x) {
        return doubled(x).sub(Scalars.like(x, 1));
    }

    private static NDArray doubled(NDArray x) {
        return x.mul(Scalars.like(x, 2));
    }
}
