package org.slotwise.api;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.training.ParameterStore;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.slotwise.api.BlockSamples.Sample;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.Tensors;

/** What is no number in one image leaves the others alone, or is refused. */
@ExtendWith(OnDevice.class)
class NotFiniteTest {

    static Stream<Arguments> samples() {
        return BlockSamples.all().stream()
                .flatMap(
                        sample ->
                                Stream.of(Float.NaN, Float.POSITIVE_INFINITY, 3e38f, 1e-40f)
                                        .map(
                                                value ->
                                                        Arguments.of(
                                                                sample.type().getSimpleName(),
                                                                value,
                                                                sample)));
    }

    @ParameterizedTest(name = "{0} {1}")
    @MethodSource("samples")
    void staysInItsImage(String name, float value, Sample sample, NDManager manager) {
        Block block = sample.block();
        NDList in = sample.inputs().apply(manager, DataType.FLOAT32);
        block.initialize(manager, DataType.FLOAT32, in.getShapes());
        ParameterStore store = new ParameterStore(manager, false);
        NDList expected = forward(block, store, in);
        for (int i = 0; i < in.size(); i++) {
            if (in.get(i).getShape().get(0) != 2) {
                continue; // positions belong to all images
            }
            NDList bad = new NDList(in);
            NDArray array = in.get(i).duplicate();
            array.set(new NDIndex(0), value);
            array.setName(in.get(i).getName());
            bad.set(i, array);
            NDList got;
            try {
                got = forward(block, store, bad);
            } catch (IllegalArgumentException e) {
                continue; // refused
            }
            for (int j = 0; j < expected.size(); j++) {
                Shape shape = expected.get(j).getShape();
                boolean ofImages = shape.dimension() > 0 && shape.get(0) == 2;
                if (ofImages && expected.get(j).getDataType().isFloating()) {
                    assertArrayEquals(
                            Tensors.doubles(expected.get(j).get(1)),
                            Tensors.doubles(got.get(j).get(1)),
                            1e-6,
                            in.get(i).getName());
                }
            }
        }
    }

    /** With the same draws each time. */
    private static NDList forward(Block block, ParameterStore store, NDList in) {
        Engine.getEngine("PyTorch").setRandomSeed(5);
        return block.forward(store, in, false);
    }
}
