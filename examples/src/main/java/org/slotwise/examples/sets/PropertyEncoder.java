package org.slotwise.examples.sets;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.AbstractBlock;
import ai.djl.nn.Activation;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import ai.djl.nn.convolutional.Conv2d;
import ai.djl.nn.core.Linear;
import ai.djl.nn.norm.LayerNorm;
import ai.djl.training.ParameterStore;
import ai.djl.training.initializer.Initializer;
import ai.djl.util.PairList;
import org.slotwise.examples.shared.PlaceWaves;

/**
 * Features of a quarter of the picture's rows and columns: what convolutions see around a place and
 * where it is, beside what a perceptron says of the pixels there.
 *
 * <pre>{@code
 * deep    = W2 relu(W1 LayerNorm(convolutions(image) + place))
 * near    = W4 relu(W3 pixels of 4 x 4)
 * feature = [deep, near]
 * }</pre>
 *
 * <p>Convolutions alone learn early to tell where objects are, lose colours on the way, and do not
 * get them back in thousands of steps.
 */
final class PropertyEncoder extends AbstractBlock {

    /** The size of a feature. */
    static final int FEATURE_DIM = 128;

    /** Every how many rows and columns there is a feature. */
    static final int STRIDE = 4;

    private static final byte VERSION = 1;
    private static final int CHANNELS = 40;
    private static final int HALF = FEATURE_DIM / 2;
    private static final int HIDDEN = 128;
    private static final int PIXELS = 3 * STRIDE * STRIDE;

    private final Block[] convolutions = new Block[4];
    private final Block place;
    private final Block norm;
    private final Block deep1;
    private final Block deep2;
    private final Block near1;
    private final Block near2;

    PropertyEncoder() {
        super(VERSION);
        int[] strides = {2, 2, 1, 1};
        for (int i = 0; i < strides.length; i++) {
            convolutions[i] = convolution("conv" + (i + 1), i == 0 ? 5 : 3, strides[i]);
        }
        place = linear("place", CHANNELS);
        norm = addChildBlock("norm", LayerNorm.builder().axis(2).build());
        deep1 = linear("deep1", HIDDEN);
        deep2 = linear("deep2", FEATURE_DIM - HALF);
        near1 = linear("near1", HALF);
        near2 = linear("near2", HALF);
    }

    private Block convolution(String name, int kernel, int stride) {
        return addChildBlock(
                name,
                Conv2d.builder()
                        .setFilters(CHANNELS)
                        .setKernelShape(new Shape(kernel, kernel))
                        .optStride(new Shape(stride, stride))
                        .optPadding(new Shape(kernel / 2, kernel / 2))
                        .build());
    }

    private Block linear(String name, int units) {
        return addChildBlock(name, Linear.builder().setUnits(units).build());
    }

    @Override
    protected NDList forwardInternal(
            ParameterStore store,
            NDList inputs,
            boolean training,
            PairList<String, Object> params) {
        NDArray images = inputs.head();
        NDArray x = images;
        for (Block convolution : convolutions) {
            x = Activation.relu(apply(convolution, store, x, training));
        }
        Shape s = x.getShape(); // (B, C, h, w)
        long rows = s.get(2);
        long columns = s.get(3);
        x = x.reshape(s.get(0), s.get(1), rows * columns).swapAxes(1, 2); // (B, N, C)
        NDArray waves = PlaceWaves.of(PlaceWaves.positions(images, STRIDE));
        x = apply(norm, store, x.add(apply(place, store, waves, training)), training);
        x = Activation.relu(apply(deep1, store, x, training));
        NDArray deep = apply(deep2, store, x, training);
        NDArray pixels =
                images.reshape(s.get(0), 3, rows, STRIDE, columns, STRIDE)
                        .transpose(0, 2, 4, 1, 3, 5)
                        .reshape(s.get(0), rows * columns, PIXELS);
        NDArray near = Activation.relu(apply(near1, store, pixels, training));
        near = apply(near2, store, near, training);
        return new NDList(NDArrays.concat(new NDList(deep, near), 2));
    }

    private static NDArray apply(Block block, ParameterStore store, NDArray x, boolean training) {
        return block.forward(store, new NDList(x), training).head();
    }

    @Override
    protected void initializeChildBlocks(NDManager manager, DataType type, Shape... inputShapes) {
        Shape image = inputShapes[0];
        for (Block convolution : convolutions) {
            start(convolution, manager, type, image, image.get(1) == 3 ? 3 * 25 : CHANNELS * 9);
            image = convolution.getOutputShapes(new Shape[] {image})[0];
        }
        norm.initialize(manager, type, new Shape(-1, -1, CHANNELS));
        start(place, manager, type, new Shape(-1, PlaceWaves.DIM), PlaceWaves.DIM);
        start(deep1, manager, type, new Shape(-1, CHANNELS), CHANNELS);
        start(deep2, manager, type, new Shape(-1, HIDDEN), HIDDEN);
        start(near1, manager, type, new Shape(-1, PIXELS), PIXELS);
        start(near2, manager, type, new Shape(-1, HALF), HALF);
    }

    /** As PyTorch starts: uniform in +-1 / sqrt(inputs of an output). */
    private static void start(
            Block block, NDManager manager, DataType type, Shape input, int inputs) {
        float bound = (float) (1 / Math.sqrt(inputs));
        Initializer uniform = (m, s, t) -> m.randomUniform(-bound, bound, s, t);
        block.setInitializer(uniform, Parameter.Type.WEIGHT);
        block.setInitializer(uniform, Parameter.Type.BIAS);
        block.initialize(manager, type, input);
    }

    @Override
    public Shape[] getOutputShapes(Shape[] inputShapes) {
        Shape image = inputShapes[0];
        long n = (image.get(2) / STRIDE) * (image.get(3) / STRIDE);
        return new Shape[] {new Shape(image.get(0), n, FEATURE_DIM)};
    }
}
