package org.slotwise.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import org.slotwise.decoder.FeatureDecoding;
import org.slotwise.grouping.PerceptualGroupingOutput;
import org.slotwise.internal.Check;
import org.slotwise.internal.ConfiguredBlock;
import org.slotwise.internal.Options;
import org.slotwise.layer.Linear;

/**
 * Features of slots without any place: each slot stands for one appearance.
 *
 * <pre>{@code
 * reconstruction = sum over slots of  attributions * (V slot + b)
 * }</pre>
 */
final class AppearanceDecoder extends ConfiguredBlock {

    private final int slotDim;
    private final int featureDim;
    private final Linear appearance;

    AppearanceDecoder(int slotDim, int featureDim) {
        this.slotDim = slotDim;
        this.featureDim = featureDim;
        appearance = Linear.of(declarer().under("appearance"), slotDim, featureDim);
    }

    /** Features (B, N, F), and the attributions once more as masks. */
    FeatureDecoding decode(ParameterStore store, PerceptualGroupingOutput slots, boolean training) {
        NDArray objects = slots.objects();
        Check.shape(who(), "slots", objects, "B", "K", slotDim);
        NDArray masks = slots.attributions();
        return FeatureDecoding.from(
                compute(
                        store,
                        objects,
                        training,
                        pass ->
                                new NDList(
                                        masks.swapAxes(1, 2)
                                                .batchMatMul(appearance.apply(pass, objects)),
                                        masks.reshape(masks.getShape()))));
    }

    @Override
    protected String inputName() {
        return "slots";
    }

    @Override
    protected NDList outputs(ParameterStore parameterStore, NDList inputs, boolean training) {
        return decode(parameterStore, PerceptualGroupingOutput.from(inputs), training).toNDList();
    }

    @Override
    protected Shape[] outputShapes(Shape[] inputShapes) {
        Shape slots = inputShapes[0];
        long n = inputShapes.length > 1 ? inputShapes[1].get(2) : -1;
        return new Shape[] {
            new Shape(slots.get(0), n, featureDim), new Shape(slots.get(0), slots.get(1), n)
        };
    }

    @Override
    protected Options configuration() {
        return Options.of("slotDim", slotDim).and("featureDim", featureDim);
    }
}
