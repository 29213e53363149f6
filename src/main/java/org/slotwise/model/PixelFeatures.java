package org.slotwise.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import org.slotwise.encoder.FeatureExtractor;
import org.slotwise.grouping.FeatureExtractorOutput;
import org.slotwise.internal.Check;
import org.slotwise.internal.ConfiguredBlock;
import org.slotwise.internal.Inputs;
import org.slotwise.internal.Options;
import org.slotwise.internal.Scalars;
import org.slotwise.position.PositionGrid;

/**
 * Colours of patches, and where they are; nothing is learnt.
 *
 * <pre>{@code
 * feature = [mean colour of the patch, weight * place]          5 numbers
 * }</pre>
 */
final class PixelFeatures extends ConfiguredBlock implements FeatureExtractor {

    private static final int COLOURS = 3;
    private static final int DIM = 5;

    private final int patch;
    private final double placeWeight;

    PixelFeatures(int patch, double placeWeight) {
        this.patch = patch;
        this.placeWeight = placeWeight;
    }

    @Override
    public FeatureExtractorOutput extract(
            ParameterStore parameterStore, NDArray images, boolean training) {
        Check.shape(who(), "images", images, "B", COLOURS, "H", "W");
        Check.floating(who(), "images", images.getDataType());
        Shape s = images.getShape();
        long h = s.get(2) / patch;
        long w = s.get(3) / patch;
        NDList out =
                compute(
                        parameterStore,
                        images,
                        training,
                        pass -> {
                            NDArray colours =
                                    images.reshape(s.get(0), COLOURS, h, patch, w, patch)
                                            .mean(new int[] {5})
                                            .mean(new int[] {3})
                                            .reshape(s.get(0), COLOURS, h * w)
                                            .swapAxes(1, 2);
                            NDArray places = PositionGrid.like(images, h, w);
                            NDArray weighted =
                                    places.mul(Scalars.like(places, placeWeight))
                                            .expandDims(0)
                                            .broadcast(s.get(0), h * w, 2);
                            return new NDList(
                                    NDArrays.concat(new NDList(colours, weighted), 2), places);
                        });
        return new FeatureExtractorOutput(out.get(0), out.get(1));
    }

    @Override
    public int featureDim() {
        return DIM;
    }

    @Override
    protected NDList outputs(ParameterStore parameterStore, NDList inputs, boolean training) {
        return extract(parameterStore, Inputs.only(who(), "images", inputs), training).toNDList();
    }

    @Override
    protected Shape[] outputShapes(Shape[] inputShapes) {
        Shape s = inputShapes[0];
        Check.shape(who(), "images", s, "B", COLOURS, "H", "W");
        long n = s.get(2) / patch * (s.get(3) / patch);
        return new Shape[] {new Shape(s.get(0), n, DIM), new Shape(n, 2)};
    }

    @Override
    protected Options configuration() {
        return Options.of("patchSize", patch).and("placeWeight", placeWeight);
    }
}
