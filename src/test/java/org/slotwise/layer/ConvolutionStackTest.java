package org.slotwise.layer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Tensors.assertClose;
import static org.slotwise.testing.Tensors.assertSame;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.Block;
import ai.djl.training.ParameterStore;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.slotwise.testing.AgainstReference;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.ReferenceCase;
import org.slotwise.testing.Tensors;

@ExtendWith(OnDevice.class)
class ConvolutionStackTest {

    static Stream<ReferenceCase> references() {
        return ReferenceCase.of("encoder", "ConvolutionalEncoder");
    }

    /** Values and gradients beside those of the same layers in PyTorch. */
    @ParameterizedTest
    @MethodSource("references")
    void agreesWithPyTorch(ReferenceCase reference, NDManager manager) {
        int[] channels = reference.integers("channels");
        int[] strides = reference.integers("strides");
        Block block =
                block(
                        stack -> {
                            for (int i = 0; i < channels.length; i++) {
                                Window same = Window.same(reference.integer("kernel_size"));
                                stack.convolution(channels[i], same.withStride(strides[i]));
                            }
                            return stack.optLastActivation(true);
                        });
        AgainstReference.check(
                manager,
                reference,
                block,
                (store, in) -> {
                    NDList images = new NDList(in.get("images"));
                    NDArray map = block.forward(store, images, true).head();
                    Shape s = map.getShape();
                    Map<String, NDArray> out = new LinkedHashMap<>();
                    out.put("features", map.reshape(s.get(0), s.get(1), -1).swapAxes(1, 2));
                    out.put("positions", reference.arrays(manager).get("out/positions"));
                    return out;
                });
    }

    private static Block block(UnaryOperator<ConvolutionStack.Builder> convolutions) {
        return new LayerBlock(
                p -> convolutions.apply(ConvolutionStack.of(p.under("layers"), 3)).build(),
                shape -> shape);
    }

    private static Block initialised(
            NDManager manager, UnaryOperator<ConvolutionStack.Builder> convolutions) {
        manager.getEngine().setRandomSeed(5);
        Block block = block(convolutions);
        block.initialize(manager, DataType.FLOAT32, new Shape(2, 3, 6, 5));
        return block;
    }

    private static NDArray run(NDManager manager, Block block) {
        NDArray x = Tensors.normal(manager, 1, 2, 3, 6, 5);
        return block.forward(new ParameterStore(manager, false), new NDList(x), false).head();
    }

    private static ConvolutionStack.Builder two(ConvolutionStack.Builder stack) {
        return stack.convolution(4, Window.same(3)).convolution(2, Window.same(3));
    }

    @Test
    void activatesBetweenAndAtTheEndIfAskedTo(NDManager manager) {
        NDArray open = run(manager, initialised(manager, ConvolutionStackTest::two));
        NDArray closed =
                run(manager, initialised(manager, stack -> two(stack).optLastActivation(true)));
        assertTrue(open.min().getFloat() < 0);
        assertSame("the last activation", Activation.relu(open), closed);
    }

    @Test
    void anActivationCanBeChosen(NDManager manager) {
        // Without one the stack is linear: s(x) + s(-x) = 2 s(0).
        Block linear = initialised(manager, stack -> two(stack).optActivation(x -> x));
        ParameterStore store = new ParameterStore(manager, false);
        NDArray x = Tensors.normal(manager, 1, 2, 3, 6, 5);
        NDArray ofX = linear.forward(store, new NDList(x), false).head();
        NDArray ofMinusX = linear.forward(store, new NDList(x.neg()), false).head();
        NDArray ofZero = linear.forward(store, new NDList(x.zerosLike()), false).head();
        assertClose("linear", ofZero.add(ofZero), ofX.add(ofMinusX), 1e-5);
    }

    @Test
    void parametersHaveTheNumbersOfASequential(NDManager manager) {
        Block block =
                initialised(
                        manager,
                        stack ->
                                stack.convolution(4, Window.same(3))
                                        .optBias(false)
                                        .transposed(5, Window.same(3).withStride(2))
                                        .optBias(true)
                                        .convolution(2, Window.valid(1)));
        List<String> found = new ArrayList<>();
        block.getParameters()
                .forEach(p -> found.add(p.getKey() + p.getValue().getArray().getShape()));
        assertEquals(
                List.of(
                        "layers.0.weight(4, 3, 3, 3)",
                        "layers.0.bias(4)",
                        "layers.2.weight(4, 5, 3, 3)",
                        "layers.4.weight(2, 5, 1, 1)",
                        "layers.4.bias(2)"),
                found);
        assertEquals(new Shape(2, 2, 12, 10), run(manager, block).getShape());
    }

    @Test
    void goesOnFromItsFirstConvolution(NDManager manager) {
        Block whole = initialised(manager, ConvolutionStackTest::two);
        manager.getEngine().setRandomSeed(5);
        Block parts =
                new LayerBlock(
                        p -> {
                            ConvolutionStack stack =
                                    two(ConvolutionStack.of(p.under("layers"), 3)).build();
                            return (pass, x) -> {
                                NDArray z = stack.first().apply(pass, x);
                                NDArray y = stack.applyToHidden(pass, z);
                                assertTrue(z.isReleased(), "closed");
                                return y;
                            };
                        },
                        shape -> shape);
        parts.initialize(manager, DataType.FLOAT32, new Shape(2, 3, 6, 5));
        assertSame("the parts", run(manager, whole), run(manager, parts));
    }
}
