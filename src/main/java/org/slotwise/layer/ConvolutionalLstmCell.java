package org.slotwise.layer;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.training.initializer.Initializer;
import org.slotwise.internal.Check;
import org.slotwise.internal.Declarer;
import org.slotwise.internal.NormedOps;
import org.slotwise.internal.Pass;
import org.slotwise.torchscript.ScriptModule;
import org.slotwise.torchscript.Scriptable;

/**
 * A long short-term memory whose maps are convolutions, with a first state that is learnt.
 *
 * <p>Source: Shi et al., "Convolutional LSTM Network" (2015), equation 3, without peepholes; in the
 * form of the models of Jiang and Ahn, "Generative Neurosymbolic Machines" (2020).
 *
 * <pre>{@code
 * i, f, o, n = W * [x, h] + b                          four parts of the channels
 * c' = sigmoid(f) c + sigmoid(i) tanh(n)
 * h' = sigmoid(o) tanh(c')
 * }</pre>
 *
 * <p>x is (B, in, H, W); h, c, h' and c' are (B, size, H, W). {@code conv.weight} (4 size, in +
 * size, k, k) and {@code conv.bias} start as PyTorch's do; {@code h_0} and {@code c_0} (1, size, H,
 * W) at 0. There are (k - 1) / 2 zeros at each side.
 */
public final class ConvolutionalLstmCell implements Scriptable {

    private static final String WHO = "ConvolutionalLstmCell";

    private final long in;
    private final Parameter firstHidden;
    private final Parameter firstCell;
    private final Convolution gates;

    /**
     * Declares the cell's parameters.
     *
     * @param parameters declares under the cell's name
     * @param in the channels of x, at least 1
     * @param size the channels of a state, at least 1
     * @param kernel k, an odd number
     * @param places H and W
     * @throws IllegalArgumentException if the kernel is even, which would change the map's size
     */
    public ConvolutionalLstmCell(Declarer parameters, long in, long size, int kernel, long places) {
        Check.atLeast(WHO, "in", in, 1);
        Check.atLeast(WHO, "size", size, 1);
        Check.option(kernel % 2 == 1, WHO + ": kernel must be odd, got " + kernel);
        this.in = in;
        firstHidden = parameters.other("h_0", Initializer.ZEROS, true, 1, size, places, places);
        firstCell = parameters.other("c_0", Initializer.ZEROS, true, 1, size, places, places);
        gates = Convolution.of(parameters.under("conv"), in + size, 4 * size, Window.same(kernel));
    }

    /**
     * A state.
     *
     * @param hidden h, (B, size, H, W), what others see
     * @param cell c, (B, size, H, W)
     */
    public record State(NDArray hidden, NDArray cell) {}

    /**
     * The first state, the same for all.
     *
     * @param pass the call of the block
     * @param batch B
     * @return views of {@code h_0} and {@code c_0}
     */
    public State start(Pass pass, long batch) {
        NDArray h = pass.value(firstHidden);
        NDArray c = pass.value(firstCell);
        Shape s = h.getShape();
        Shape all = new Shape(batch, s.get(1), s.get(2), s.get(3));
        return new State(h.broadcast(all), c.broadcast(all));
    }

    /**
     * Makes a step.
     *
     * @param pass the call of the block
     * @param x inputs (B, in, H, W)
     * @param state the state before
     * @return the state after
     */
    public State step(Pass pass, NDArray x, State state) {
        Shape s = state.hidden().getShape();
        Check.shape(WHO, "input", x, s.get(0), in, s.get(2), s.get(3));
        NDArray seen = x.concat(state.hidden(), 1);
        NDArray[] next = NormedOps.remember(gates.apply(pass, seen), state.cell());
        return new State(next[0], next[1]);
    }

    /**
     * {@inheritDoc}
     *
     * <p>Places are rows here: {@code first(batch)} gives h and c, (B H W, size) each, and {@code
     * step(seen, cell)} the next of [x, h], (B H W, in + size), and c.
     */
    @Override
    public ScriptModule script() {
        boolean rows = gates.isPointwise();
        String map =
                rows
                        ? "  gates = self.conv.rows(seen)\n"
                        : """
                            x = torch.reshape(seen, [-1, height, torch.size(self.h_0, 3), torch.size(seen, 1)])
                            y = self.conv.forward(torch.permute(x, [0, 3, 1, 2]))
                            gates = torch.reshape(torch.permute(y, [0, 2, 3, 1]), [torch.size(seen, 0), -1])
                          """;
        return ScriptModule.builder(WHO)
                .parameter("h_0", firstHidden)
                .parameter("c_0", firstCell)
                .module("conv", rows ? gates.scriptOfRows() : gates.script())
                .setCode(
                        """
                        def rows(self, x: Tensor, batch: int) -> Tensor:
                          y = torch.expand(torch.permute(x, [0, 2, 3, 1]), [batch, -1, -1, -1])
                          return torch.reshape(y, [-1, torch.size(x, 1)])
                        def first(self, batch: int) -> Tuple[Tensor, Tensor]:
                          return (self.rows(self.h_0, batch), self.rows(self.c_0, batch))
                        def step(self, seen: Tensor, cell: Tensor) -> Tuple[Tensor, Tensor]:
                          height = torch.size(self.h_0, 2)
                        """
                                + map
                                + """
                                    size = torch.size(cell, 1)
                                    a, n = torch.split_with_sizes(gates, [torch.mul(size, 3), size], 1)
                                    i, f, o = torch.chunk(torch.sigmoid(a), 3, 1)
                                    c = torch.addcmul(torch.mul(f, cell), i, torch.tanh(n))
                                    return (torch.mul(o, torch.tanh(c)), c)
                                  """)
                .build();
    }
}
