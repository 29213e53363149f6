package org.slotwise.layer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.slotwise.testing.Errors.assertRefused;
import static org.slotwise.testing.Tensors.assertClose;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.training.ParameterStore;
import java.util.Map;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.slotwise.internal.Declarer;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.ReferenceCase;
import org.slotwise.testing.Tensors;

@ExtendWith(OnDevice.class)
class ConvolutionTest {

    private static final DataType TYPE = DataType.FLOAT64;

    private static Block block(NDManager manager, Shape input, Function<Declarer, Layer> layer) {
        manager.getEngine().setRandomSeed(3);
        Block block = new LayerBlock(layer, shape -> shape);
        block.initialize(manager, TYPE, input);
        return block;
    }

    private static NDArray run(NDManager manager, Block block, NDArray x, boolean training) {
        return block.forward(new ParameterStore(manager, false), new NDList(x), training)
                .singletonOrThrow();
    }

    private static double at(double[] x, long[] shape, long... place) {
        int index = 0;
        for (int i = 0; i < place.length; i++) {
            index = (int) (index * shape[i] + place[i]);
        }
        return x[index];
    }

    @ParameterizedTest
    @CsvSource({"3, 1, 1", "4, 2, 1", "3, 2, 0", "2, 3, 2", "1, 1, 0"})
    void convolvesAsDefined(int kernel, int stride, int padding, NDManager manager) {
        Window window = new Window(kernel, stride, padding);
        NDArray x = Tensors.normal(manager, 1, TYPE, 2, 3, 5, 7);
        Block block = block(manager, x.getShape(), p -> Convolution.of(p, 3, 2, window));
        NDArray y = run(manager, block, x, false);
        long height = window.places(5);
        long width = window.places(7);
        assertEquals(new Shape(2, 2, height, width), y.getShape());

        Map<String, NDArray> parameters = ReferenceCase.parameters(block);
        double[] w = Tensors.doubles(parameters.get("weight"));
        double[] b = Tensors.doubles(parameters.get("bias"));
        double[] in = Tensors.doubles(x);
        double[] expected = new double[(int) y.size()];
        int place = 0;
        for (int n = 0; n < 2; n++) {
            for (int o = 0; o < 2; o++) {
                for (int row = 0; row < height; row++) {
                    for (int column = 0; column < width; column++) {
                        double sum = b[o];
                        for (int i = 0; i < 3 * kernel * kernel; i++) {
                            int c = i / (kernel * kernel);
                            int down = i / kernel % kernel;
                            int right = i % kernel;
                            int r = row * stride + down - padding;
                            int s = column * stride + right - padding;
                            if (r >= 0 && r < 5 && s >= 0 && s < 7) {
                                long[] ofWeight = {2, 3, kernel, kernel};
                                sum +=
                                        at(w, ofWeight, o, c, down, right)
                                                * at(in, new long[] {2, 3, 5, 7}, n, c, r, s);
                            }
                        }
                        expected[place++] = sum;
                    }
                }
            }
        }
        assertClose("y", manager.create(expected, y.getShape()), y, 1e-12);
    }

    @Test
    void transposedIsTheConvolutionsAdjoint(NDManager manager) {
        Window window = new Window(5, 2, 2);
        NDArray small = Tensors.normal(manager, 1, TYPE, 2, 3, 4, 3);
        Block transposed =
                block(
                        manager,
                        small.getShape(),
                        p ->
                                TransposedConvolution.of(
                                        p, 3, 2, window, 1, StartingValues.normal(1), null));
        NDArray up = run(manager, transposed, small, false);
        assertEquals(new Shape(2, 2, 8, 6), up.getShape());
        NDArray large = Tensors.normal(manager, 2, TYPE, 2, 2, 8, 6);
        NDArray weight = ReferenceCase.parameters(transposed).get("weight"); // (3, 2, 5, 5)
        Block plain =
                block(
                        manager,
                        large.getShape(),
                        p ->
                                Convolution.of(
                                        p,
                                        2,
                                        3,
                                        window,
                                        (owner, shape, type) -> weight.duplicate(),
                                        null));
        NDArray down = run(manager, plain, large, false);
        assertClose("<up, large>", up.mul(large).sum(), down.mul(small).sum(), 1e-12);
    }

    @Test
    void startsAsPyTorchDoes(NDManager manager) {
        Block block =
                block(
                        manager,
                        new Shape(1, 9, 8, 8),
                        p -> Convolution.of(p, 9, 200, Window.same(3)));
        ReferenceCase.parameters(block)
                .forEach(
                        (name, array) -> assertEquals(1.0 / 9, Tensors.largest(array), 1e-3, name));
    }

    @Test
    void knowsItsPlaces() {
        assertEquals(7, Window.same(5).places(7));
        assertEquals(4, Window.same(5).withStride(2).places(7));
        assertEquals(3, Window.valid(5).places(7));
        assertEquals(0, Window.valid(5).places(4));
        assertEquals(-1, Window.valid(5).places(-1));
    }

    @Test
    void refusesWhatIsOutOfRange() {
        assertRefused("Window: kernel must be at least 1, got 0", () -> Window.valid(0));
        assertRefused(
                "Window: stride must be at least 1, got 0", () -> Window.same(3).withStride(0));
        assertRefused(
                "Window: padding must be at least 0, got -1", () -> Window.same(3).withPadding(-1));
        assertRefused(
                "TransposedConvolution: outputPadding must be at least 0 and below the stride, got 2"
                        + " and 2",
                () ->
                        new LayerBlock(
                                p ->
                                        TransposedConvolution.of(
                                                p, 1, 1, Window.same(3).withStride(2), 2),
                                shape -> shape));
        assertRefused(
                "ConvolutionStack: there must be a convolution",
                () -> new LayerBlock(p -> ConvolutionStack.of(p, 3).build(), shape -> shape));
    }
}
