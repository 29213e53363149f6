package org.slotwise.examples.discover;

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
import ai.djl.training.initializer.XavierInitializer;
import ai.djl.util.PairList;
import org.slotwise.examples.shared.PlaceWaves;

/**
 * Features of a picture: what every stride-th pixel in each direction sees around it, where it is,
 * and both together.
 *
 * <pre>{@code
 * c = MLP(LayerNorm(three convolutions of the image))        48 numbers
 * p = Linear(sines and cosines of the place)                 16
 * j = MLP([c, p])                                            64
 * features = [c, p, j]
 * }</pre>
 *
 * <p>Input: images (B, 3, H, W) in [0, 1]. Outputs: features (B, N, 128) and positions (N, 2), the
 * centres of every stride-th pixel, in [0, 1].
 */
final class DiscoveryEncoder extends AbstractBlock {

    /** The size of a feature. */
    static final int FEATURE_DIM = 128;

    private static final byte VERSION = 1;
    private static final int CONTENT = 48;
    private static final int PLACE = 16;
    private static final int HIDDEN = 64;
    private static final int JOINT_HIDDEN = 96;

    private final int stride;
    private final int channels;
    private final Block[] convolutions = new Block[3];
    private final Block norm;
    private final Block content1;
    private final Block content2;
    private final Block place;
    private final Block joint1;
    private final Block joint2;

    /**
     * Makes the encoder.
     *
     * @param stride every how many rows and columns there is a feature
     * @param channels the channels of the convolutions
     */
    DiscoveryEncoder(int stride, int channels) {
        super(VERSION);
        this.stride = stride;
        this.channels = channels;
        convolutions[0] = convolution("conv1", 3, 5, stride);
        convolutions[1] = convolution("conv2", channels, 3, 1);
        convolutions[2] = convolution("conv3", channels, 3, 1);
        norm = addChildBlock("norm", LayerNorm.builder().axis(2).build());
        content1 = linear("content1", HIDDEN);
        content2 = linear("content2", CONTENT);
        place = linear("place", PLACE);
        joint1 = linear("joint1", JOINT_HIDDEN);
        joint2 = linear("joint2", FEATURE_DIM - CONTENT - PLACE);
    }

    private Block convolution(String name, int in, int kernel, int step) {
        Block block =
                Conv2d.builder()
                        .setFilters(channels)
                        .setKernelShape(new Shape(kernel, kernel))
                        .optStride(new Shape(step, step))
                        .optPadding(new Shape(kernel / 2, kernel / 2))
                        .build();
        // As PyTorch starts convolutions: uniform in +-1 / sqrt(inputs of an output).
        float bound = (float) (1 / Math.sqrt(in * kernel * kernel));
        Initializer start = (manager, s, type) -> manager.randomUniform(-bound, bound, s, type);
        block.setInitializer(start, Parameter.Type.WEIGHT);
        block.setInitializer(start, Parameter.Type.BIAS);
        return addChildBlock(name, block);
    }

    private Block linear(String name, int units) {
        Block block = Linear.builder().setUnits(units).build();
        block.setInitializer(xavier(), Parameter.Type.WEIGHT);
        return addChildBlock(name, block);
    }

    /** Xavier uniform: +-sqrt(6 / (inputs + outputs)). */
    static Initializer xavier() {
        return new XavierInitializer(
                XavierInitializer.RandomType.UNIFORM, XavierInitializer.FactorType.AVG, 3);
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
        x = x.reshape(s.get(0), channels, s.get(2) * s.get(3)).swapAxes(1, 2); // (B, N, C)
        x = Activation.relu(apply(content1, store, apply(norm, store, x, training), training));
        NDArray c = apply(content2, store, x, training);

        NDArray positions = PlaceWaves.positions(images, stride); // (N, 2)
        NDArray p = apply(place, store, PlaceWaves.of(positions), training);
        p = p.expandDims(0).broadcast(s.get(0), p.getShape().get(0), PLACE);
        NDArray both = NDArrays.concat(new NDList(c, p), 2);
        NDArray j = Activation.relu(apply(joint1, store, both, training));
        j = apply(joint2, store, j, training);
        return new NDList(NDArrays.concat(new NDList(both, j), 2), positions);
    }

    private static NDArray apply(Block block, ParameterStore store, NDArray x, boolean training) {
        return block.forward(store, new NDList(x), training).head();
    }

    @Override
    protected void initializeChildBlocks(NDManager manager, DataType type, Shape... inputShapes) {
        Shape image = inputShapes[0];
        for (Block convolution : convolutions) {
            convolution.initialize(manager, type, image);
            image = convolution.getOutputShapes(new Shape[] {image})[0];
        }
        norm.initialize(manager, type, new Shape(-1, -1, channels));
        content1.initialize(manager, type, new Shape(-1, channels));
        content2.initialize(manager, type, new Shape(-1, HIDDEN));
        place.initialize(manager, type, new Shape(-1, PlaceWaves.DIM));
        joint1.initialize(manager, type, new Shape(-1, CONTENT + PLACE));
        joint2.initialize(manager, type, new Shape(-1, JOINT_HIDDEN));
    }

    @Override
    public Shape[] getOutputShapes(Shape[] inputShapes) {
        Shape image = inputShapes[0];
        long n = PlaceWaves.places(image.get(2), stride) * PlaceWaves.places(image.get(3), stride);
        return new Shape[] {new Shape(image.get(0), n, FEATURE_DIM), new Shape(n, 2)};
    }
}
