package org.slotwise.slate;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import org.slotwise.internal.Pass;
import org.slotwise.layer.Layer;
import org.slotwise.layer.PixelShuffle;

/**
 * A convolution of single places after a shuffle of pixels, taken before it: each of the places
 * that a channel will become is one already, so that the few channels that come out are shuffled
 * instead of the many that go in.
 *
 * @param shuffle how pixels are shuffled
 * @param convolution with a kernel of 1
 */
record ShuffledPlaces(PixelShuffle shuffle, Layer convolution) implements Layer {

    /** Of x (B, r² C, H, W): (B, out, r H, r W). */
    @Override
    public NDArray apply(Pass pass, NDArray x) {
        Shape s = x.getShape();
        int square = shuffle.factor() * shuffle.factor();
        NDArray places = x.reshape(s.get(0), s.get(1) / square, square * s.get(2), s.get(3));
        NDArray y = convolution.apply(pass, places);
        return shuffle.shuffle(
                y.reshape(s.get(0), square * y.getShape().get(1), s.get(2), s.get(3)));
    }
}
