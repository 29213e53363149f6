package org.slotwise.layer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Errors.assertRefused;
import static org.slotwise.testing.Tensors.assertClose;
import static org.slotwise.testing.Tensors.doubles;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.SequentialBlock;
import ai.djl.training.ParameterStore;
import ai.djl.training.initializer.Initializer;
import java.util.Arrays;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.slotwise.internal.Declarer;
import org.slotwise.testing.BlockContract;
import org.slotwise.testing.EquationBlock;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.Tensors;

/** What every block promises, of layers by themselves. */
@ExtendWith(OnDevice.class)
class LayerContractTest {

    private static Arguments layer(
            String name,
            Function<Declarer, Layer> layer,
            UnaryOperator<Shape> shapes,
            long... input) {
        return Arguments.of(name, layer, shapes, new Shape(input));
    }

    static Stream<Arguments> layers() {
        UnaryOperator<Shape> same = shape -> shape;
        UnaryOperator<Shape> five = shape -> shape.slice(0, 2).add(5);
        return Stream.of(
                layer("linear", p -> Linear.of(p, 6, 5), five, 2, 3, 6),
                layer("linear without bias", p -> Linear.of(p, 6, 5, false), five, 2, 3, 6),
                layer("layer norm", p -> LayerNorm.of(p, 6), same, 2, 3, 6),
                layer("group norm", p -> GroupNorm.of(p, 2, 6), same, 2, 6, 3, 4),
                layer("one group", p -> GroupNorm.of(p, 1, 6, 1e-3), same, 2, 6, 5),
                layer("perceptron", p -> Perceptron.of(p, 6, 7, 2, 5), five, 2, 3, 6),
                layer("GEGLU", p -> GeGlu.of(p, 6, 5), five, 2, 3, 6),
                layer(
                        "positions",
                        p -> PositionTable.of(p, "pe", 4, 6, StartingValues.truncatedNormal()),
                        same,
                        2,
                        3,
                        6),
                layer(
                        "pixel shuffle",
                        p -> new PixelShuffle(2),
                        s -> new Shape(s.get(0), s.get(1) / 4, 2 * s.get(2), 2 * s.get(3)),
                        2,
                        8,
                        3,
                        2),
                layer(
                        "attention",
                        p ->
                                new Attention(
                                        Linear.of(p.under("q"), 6, 4),
                                        Linear.of(p.under("k"), 6, 4),
                                        Linear.of(p.under("v"), 6, 4),
                                        Linear.of(p.under("o"), 4, 5),
                                        2),
                        five,
                        2,
                        3,
                        6),
                layer("left out", p -> Layer.NONE, same, 2, 3));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("layers")
    void keepTheContract(
            String name,
            Function<Declarer, Layer> layer,
            UnaryOperator<Shape> shapes,
            Shape input,
            NDManager manager) {
        if (!name.equals("left out")) {
            new BlockContract(
                            () -> new LayerBlock(layer, shapes),
                            (m, type) -> new NDList(Tensors.normal(m, 1, type, input.getShape())))
                    .check(manager);
        }
        LayerBlock block = new LayerBlock(layer, shapes);
        block.initialize(manager, DataType.FLOAT32, input);
        NDArray x = Tensors.normal(manager, 1, input.getShape());
        NDArray y = block.forward(new ParameterStore(manager, false), new NDList(x), false).head();
        assertEquals(block.getOutputShapes(new Shape[] {input})[0], y.getShape());
    }

    @Test
    void attentionToAMemoryKeepsTheContract(NDManager manager) {
        new BlockContract(
                        () ->
                                new EquationBlock(
                                        p -> {
                                            Attention attention =
                                                    new Attention(
                                                            Linear.of(p.under("q"), 6, 4),
                                                            Linear.of(p.under("k"), 5, 4),
                                                            Linear.of(p.under("v"), 5, 4),
                                                            Linear.of(p.under("o"), 4, 6),
                                                            2);
                                            return (pass, in) ->
                                                    new NDList(
                                                            attention
                                                                    .attend(
                                                                            pass,
                                                                            in.get(0),
                                                                            in.get(1),
                                                                            false,
                                                                            DropoutMask.of(
                                                                                    in.get(2)))
                                                                    .output());
                                        }),
                        (m, type) ->
                                new NDList(
                                        Tensors.normal(m, 1, type, 2, 3, 6),
                                        Tensors.normal(m, 2, type, 2, 7, 5),
                                        Tensors.uniform(m, 3, type, 2, 2, 3, 7)))
                .check(manager);
    }

    @Test
    void composeWithOtherBlocks(NDManager manager) {
        SequentialBlock both =
                new SequentialBlock()
                        .add(new LayerBlock(p -> Linear.of(p, 3, 4), s -> new Shape(s.get(0), 4)))
                        .add(new LayerBlock(p -> LayerNorm.of(p, 4), s -> s));
        both.initialize(manager, DataType.FLOAT32, new Shape(2, 3));
        NDArray x = Tensors.normal(manager, 1, 2, 3);
        NDArray y = both.forward(new ParameterStore(manager, false), new NDList(x), false).head();
        assertEquals(new Shape(2, 4), y.getShape());
    }

    @Test
    void namesAreTheLayersOwn() {
        LayerBlock block =
                new LayerBlock(p -> Perceptron.of(p.under("net").under("mlp"), 3, 4, 1, 5), s -> s);
        assertEquals(
                "[net.mlp.0.weight, net.mlp.0.bias, net.mlp.2.weight, net.mlp.2.bias]",
                block.getParameters().keys().toString());
    }

    @Test
    void optionsAreChecked() {
        assertRefused(
                "GroupNorm: channels must be a multiple of 4, got 6",
                () -> new LayerBlock(p -> GroupNorm.of(p, 4, 6), s -> s));
        assertRefused(
                "GroupNorm: groups must be at least 1, got 0",
                () -> new LayerBlock(p -> GroupNorm.of(p, 0, 6), s -> s));
        assertRefused(
                "GroupNorm: eps must be above 0 and finite, got 0.0",
                () -> new LayerBlock(p -> GroupNorm.of(p, 2, 6, 0), s -> s));
        assertRefused("PixelShuffle: factor must be at least 1, got 0", () -> new PixelShuffle(0));
        assertRefused(
                "Dropout: rate must be at least 0 and below 1, got 1.0", () -> new Dropout(1));
        assertRefused(
                "TimeEmbedding: size must be at least 4, got 2",
                () -> new TimeEmbedding(2, TimeEmbedding.Order.SINE_FIRST, 1));
        assertRefused(
                "TimeEmbedding: shift must be 0 or 1, got 2",
                () -> new TimeEmbedding(8, TimeEmbedding.Order.SINE_FIRST, 2));
    }

    @Test
    void inputsAreChecked(NDManager manager) {
        LayerBlock table =
                new LayerBlock(p -> PositionTable.of(p, "pe", 2, 6, Initializer.ONES), s -> s);
        table.initialize(manager, DataType.FLOAT32, new Shape(1, 2, 6));
        ParameterStore store = new ParameterStore(manager, false);
        NDArray x = Tensors.normal(manager, 1, 1, 3, 6);
        assertRefused(
                "PositionTable: sequences must have at most 2 places, got 3",
                () -> table.forward(store, new NDList(x), false));
        assertRefused(
                "LayerBlock: expected one array, got 2",
                () -> table.forward(store, new NDList(x, x), false));
        assertRefused(
                "LayerBlock: input must be float32 as the block's parameters, got float64",
                () -> table.forward(store, new NDList(x.toType(DataType.FLOAT64, false)), false));
        assertRefused(
                "PixelShuffle: maps must be (B, a multiple of 4, H, W), got (1, 3, 6)",
                () -> new PixelShuffle(2).shuffle(x));
    }

    @Test
    void pixelsAreWherePyTorchPutsThem(NDManager manager) {
        NDArray x = manager.arange(16f).reshape(1, 8, 1, 2);
        assertEquals(
                "[0.0, 2.0, 1.0, 3.0, 4.0, 6.0, 5.0, 7.0, 8.0, 10.0, 9.0, 11.0, 12.0, 14.0, 13.0,"
                        + " 15.0]",
                Arrays.toString(doubles(new PixelShuffle(2).shuffle(x))));
    }

    @Test
    void dropoutKeepsTheMean(NDManager manager) {
        Engine.getInstance().setRandomSeed(3);
        NDArray x = manager.ones(new Shape(100, 100), DataType.FLOAT64);
        NDArray mask = new Dropout(0.2).mask(x, x.getShape());
        double[] y = doubles(Dropout.apply(x, mask));
        assertTrue(Arrays.stream(y).allMatch(v -> v == 0 || Math.abs(v - 1.25) < 1e-12));
        long dropped = Arrays.stream(y).filter(v -> v == 0).count();
        assertEquals(2000.0, (double) dropped, 200); // five deviations
        assertNull(new Dropout(0).mask(x, x.getShape()));
        assertSame(x, Dropout.apply(x, null));
    }

    /** The same draw, one byte an element; attention scales what is smaller. */
    @Test
    void aMaskOfBooleansDropsTheSame(NDManager manager) {
        NDArray x = Tensors.normal(manager, 1, DataType.FLOAT64, 4, 3, 5, 6);
        Dropout dropout = new Dropout(0.3);
        Engine.getInstance().setRandomSeed(3);
        NDArray mask = dropout.mask(x, x.getShape());
        Engine.getInstance().setRandomSeed(3);
        DropoutMask kept = dropout.kept(x, x.getShape());
        assertEquals(DataType.BOOLEAN, kept.kept().getDataType());
        assertClose("dropped", Dropout.apply(x, mask), kept.apply(x), 1e-15);
        assertNull(new Dropout(0).kept(x, x.getShape()));
        NDArray q = Tensors.normal(manager, 2, DataType.FLOAT64, 4, 5, 9);
        NDArray k = Tensors.normal(manager, 3, DataType.FLOAT64, 4, 6, 9);
        assertClose(
                "attended",
                new ScaledDotProduct(3, false, DropoutMask.of(mask)).attend(q, k, k).output(),
                new ScaledDotProduct(3, false, kept).attend(q, k, k).output(),
                1e-14);
        assertRefused(
                "Dropout: mask must be (4, 3, 5, 6), got (4, 3, 5, 5)",
                () -> {
                    DropoutMask small = dropout.kept(x, new Shape(4, 3, 5, 5));
                    new ScaledDotProduct(3, false, small).attend(q, k, k);
                });
        assertRefused(
                "DropoutMask: scale must be above 0 and finite, got 0.0",
                () -> new DropoutMask(mask, 0));
    }

    @Test
    void orthogonalMatricesAreOrthogonal(NDManager manager) {
        for (long[] shape : new long[][] {{9, 3}, {3, 9}, {4, 4}}) {
            NDArray w =
                    StartingValues.orthogonal()
                            .initialize(manager, new Shape(shape), DataType.FLOAT64);
            NDArray product =
                    shape[0] >= shape[1] ? w.transpose().matMul(w) : w.matMul(w.transpose());
            assertClose(
                    Arrays.toString(shape),
                    manager.eye((int) Math.min(shape[0], shape[1])).toType(DataType.FLOAT64, false),
                    product,
                    1e-12);
        }
    }

    @Test
    void theNormalDrawIsCutAtTwo(NDManager manager) {
        double[] draw =
                doubles(
                        StartingValues.truncatedNormal()
                                .initialize(manager, new Shape(200, 50), DataType.FLOAT32));
        assertTrue(Arrays.stream(draw).allMatch(v -> Math.abs(v) <= 2));
        double square = Arrays.stream(draw).map(v -> v * v).average().orElseThrow();
        // 1 - 2 * 2 phi(2) / (2 Phi(2) - 1) = 0.7737
        assertEquals(0.7737, square, 0.03);
    }
}
