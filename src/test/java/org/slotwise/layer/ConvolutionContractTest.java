package org.slotwise.layer;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.slotwise.internal.Declarer;
import org.slotwise.testing.BlockContract;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.Tensors;

/** What every block promises, for blocks of a convolutional layer each. */
@ExtendWith(OnDevice.class)
class ConvolutionContractTest {

    private static Arguments of(String name, Function<Declarer, Layer> layer, long... shape) {
        return Arguments.of(name, layer, new Shape(shape));
    }

    /** Each for images (2, 3, 5, 6). */
    static Stream<Arguments> layers() {
        return Stream.of(
                of("same", p -> Convolution.of(p, 3, 4, Window.same(3)), 2, 4, 5, 6),
                of(
                        "strided",
                        p -> Convolution.of(p, 3, 4, Window.valid(4).withStride(2).withPadding(1)),
                        2,
                        4,
                        2,
                        3),
                of(
                        "without bias",
                        p ->
                                Convolution.of(
                                        p, 3, 4, Window.valid(1), StartingValues.normal(1), null),
                        2,
                        4,
                        5,
                        6),
                of(
                        "transposed",
                        p -> TransposedConvolution.of(p, 3, 4, Window.same(5).withStride(2), 1),
                        2,
                        4,
                        10,
                        12),
                of("batch normalisation", p -> BatchNorm.of(p, 3, true), 2, 3, 5, 6),
                of(
                        "stack",
                        p ->
                                ConvolutionStack.of(p.under("layers"), 3)
                                        .convolution(4, Window.same(3).withStride(2))
                                        .transposed(5, Window.same(3).withStride(2))
                                        .optBias(false)
                                        .convolution(2, Window.same(3))
                                        .optActivation(Activation::softPlus)
                                        .optLastActivation(true)
                                        .build(),
                        2,
                        2,
                        6,
                        6),
                of(
                        "perceptron",
                        p ->
                                Perceptron.of(
                                        List.of(
                                                Linear.of(p.under("first"), 6, 5),
                                                Linear.of(p.under("second"), 5, 4, false))),
                        2,
                        3,
                        5,
                        4));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("layers")
    void keepsTheContract(
            String name, Function<Declarer, Layer> layer, Shape output, NDManager manager) {
        new BlockContract(
                        () -> new LayerBlock(layer, input -> output),
                        (owner, type) -> {
                            NDArray x = Tensors.normal(owner, 1, type, 2, 3, 5, 6);
                            return new NDList(x);
                        })
                .check(manager);
    }
}
