package org.slotwise.encoder;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import org.slotwise.grouping.FeatureExtractorOutput;
import org.slotwise.internal.Pass;

/**
 * What encoders have in common that make a map of features of an image, of a size that follows from
 * the image's alone.
 */
public abstract class ConvolutionalBlock extends EncoderBlock {

    private final int featureDim;

    ConvolutionalBlock(int featureDim) {
        this.featureDim = featureDim;
    }

    /** The map's height or width for that of the images; -1 for an unknown one. */
    abstract long mapSize(long size);

    /** Whether images are known to be few enough to be computed at once, by the equations alone. */
    boolean isOneGroup(NDArray images) {
        return false;
    }

    /** Checks the images beyond shape and type. */
    void check(NDArray images, boolean training) {}

    /** The features (B, N, F) of images, row by row. */
    abstract NDArray features(Pass pass, NDArray images);

    /** The positions (N, 2) of a map of so many places. */
    NDArray positions(NDArray images, long height, long width) {
        return FeatureMap.positions(images, height, width);
    }

    /** {@inheritDoc} */
    @Override
    public final FeatureExtractorOutput extract(
            ParameterStore parameterStore, NDArray images, boolean training) {
        FeatureMap.checkImages(who(), images);
        check(images, training);
        Shape s = images.getShape();
        NDList out =
                compute(
                        parameterStore,
                        images,
                        training,
                        pass ->
                                new NDList(
                                        features(pass, images),
                                        positions(images, mapSize(s.get(2)), mapSize(s.get(3)))));
        return new FeatureExtractorOutput(out.get(0), out.get(1));
    }

    /** {@inheritDoc} */
    @Override
    public final int featureDim() {
        return featureDim;
    }

    /** {@inheritDoc} */
    @Override
    protected Shape[] outputShapes(Shape[] inputShapes) {
        Shape images = FeatureMap.checkImages(who(), inputShapes[0]);
        long height = mapSize(images.get(2));
        long width = mapSize(images.get(3));
        long n = height < 0 || width < 0 ? -1 : height * width;
        return new Shape[] {new Shape(images.get(0), n, featureDim), new Shape(n, 2)};
    }
}
