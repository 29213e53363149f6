package org.slotwise.gnm;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import org.slotwise.layer.Gaussian;

/**
 * The distributions of what all cells have.
 *
 * @param presence logits (B, 1, G, G) of whether there is an object
 * @param where (B, 4, G, G): size, proportions and shift, before they become a rectangle
 * @param depth (B, 1, G, G)
 * @param what (B, Za, G, G)
 */
public record CellLatents(NDArray presence, Gaussian where, Gaussian depth, Gaussian what) {

    /** Of a batch that has two after each other: the first, and the second. */
    CellLatents[] halves() {
        NDList p = presence.split(2, 0);
        Gaussian[] w = halves(where);
        Gaussian[] d = halves(depth);
        Gaussian[] a = halves(what);
        return new CellLatents[] {
            new CellLatents(p.get(0), w[0], d[0], a[0]), new CellLatents(p.get(1), w[1], d[1], a[1])
        };
    }

    private static Gaussian[] halves(Gaussian both) {
        NDList means = both.mean().split(2, 0);
        NDList deviations = both.deviation().split(2, 0);
        return new Gaussian[] {
            new Gaussian(means.get(0), deviations.get(0)),
            new Gaussian(means.get(1), deviations.get(1))
        };
    }

    /** All arrays. */
    NDList arrays() {
        return new NDList(
                presence,
                where.mean(),
                where.deviation(),
                depth.mean(),
                depth.deviation(),
                what.mean(),
                what.deviation());
    }
}
