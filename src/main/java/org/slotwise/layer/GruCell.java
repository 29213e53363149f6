package org.slotwise.layer;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.Parameter;
import ai.djl.training.initializer.Initializer;
import org.slotwise.internal.Check;
import org.slotwise.internal.Declarer;
import org.slotwise.internal.Ops;
import org.slotwise.internal.Pass;
import org.slotwise.torchscript.ScriptModule;
import org.slotwise.torchscript.Scriptable;

/**
 * A gated recurrent unit, as PyTorch's {@code nn.GRUCell}: gates in the order r, z, n, and two
 * biases.
 *
 * <p>Source: Cho et al., "Learning Phrase Representations using RNN Encoder-Decoder" (2014).
 *
 * <pre>{@code
 * r = sigmoid(Wir u + bir + Whr s + bhr)
 * z = sigmoid(Wiz u + biz + Whz s + bhz)
 * n = tanh(Win u + bin + r * (Whn s + bhn))
 * s' = (1 - z) n + z s
 * }</pre>
 *
 * <p>u is (B, K, C), s and s' are (B, K, D). {@code weight_ih} (3 D, C), {@code weight_hh} (3 D,
 * D), {@code bias_ih} and {@code bias_hh} (3 D) start uniform in ±1/√D, or as told.
 */
public final class GruCell implements Scriptable {

    private final long in;
    private final long size;
    private final Parameter inputWeight;
    private final Parameter stateWeight;
    private final Parameter inputBias;
    private final Parameter stateBias;

    /**
     * Declares the cell's parameters.
     *
     * @param parameters declares under the cell's name
     * @param in C
     * @param size D
     */
    public GruCell(Declarer parameters, long in, long size) {
        this(
                parameters,
                in,
                size,
                StartingValues.linear(size),
                StartingValues.linear(size),
                StartingValues.linear(size));
    }

    /**
     * Declares the parameters of a cell with other starting values.
     *
     * @param parameters declares under the cell's name
     * @param in C
     * @param size D
     * @param inputStart how the weights of inputs start, (3 D, C)
     * @param stateStart how the weights of states start, (3 D, D)
     * @param biasStart how the biases start
     */
    public GruCell(
            Declarer parameters,
            long in,
            long size,
            Initializer inputStart,
            Initializer stateStart,
            Initializer biasStart) {
        this.in = in;
        this.size = size;
        inputWeight = parameters.weight("weight_ih", inputStart, 3 * size, in);
        stateWeight = parameters.weight("weight_hh", stateStart, 3 * size, size);
        inputBias = parameters.bias("bias_ih", biasStart, 3 * size);
        stateBias = parameters.bias("bias_hh", biasStart, 3 * size);
    }

    /**
     * Makes a step.
     *
     * @param pass the call of the block
     * @param u inputs (B, K, C)
     * @param s states (B, K, D)
     * @return the next states (B, K, D)
     */
    public NDArray step(Pass pass, NDArray u, NDArray s) {
        Check.shape("GruCell", "input", u, "B", "K", in);
        Check.shape("GruCell", "state", s, u.getShape().get(0), u.getShape().get(1), size);
        NDList values = values(pass);
        return u.getDevice().isGpu() ? gateByGate(values, u, s) : inOneCall(values, u, s);
    }

    /**
     * The values of the weights and biases, for those who compute the cell with others in one call.
     *
     * @param pass the call of the block
     * @return weights of inputs (3 D, C) and states (3 D, D), biases of both (3 D)
     */
    public NDList values(Pass pass) {
        return new NDList(
                pass.value(inputWeight),
                pass.value(stateWeight),
                pass.value(inputBias),
                pass.value(stateBias));
    }

    /**
     * The engine's own GRU on a sequence of one. On a GPU this would go through cuDNN, which copies
     * the weights at each call and rounds products to TF32.
     */
    static NDArray inOneCall(NDList weights, NDArray u, NDArray s) {
        Shape shape = s.getShape();
        long rows = shape.get(0) * shape.get(1);
        NDArray sequence = u.reshape(1, rows, u.getShape().get(2));
        NDArray state = s.reshape(1, rows, shape.get(2));
        return sequence.getNDArrayInternal()
                .gru(sequence, state, weights, true, 1, 0, true, false, false)
                .get(1)
                .reshape(shape);
    }

    static NDArray gateByGate(NDList weights, NDArray u, NDArray s) {
        NDList input = Ops.linear(u, weights.get(0), weights.get(2)).split(3, 2);
        NDList state = Ops.linear(s, weights.get(1), weights.get(3)).split(3, 2);
        NDArray r = Activation.sigmoid(input.get(0).add(state.get(0)));
        NDArray z = Activation.sigmoid(input.get(1).add(state.get(1)));
        NDArray n = input.get(2).add(r.mul(state.get(2))).tanh();
        // (1 - z) n + z s
        return n.add(z.mul(s.sub(n)));
    }

    /** {@inheritDoc} */
    @Override
    public ScriptModule script() {
        return ScriptModule.builder("GRUCell")
                .parameter("weight_ih", inputWeight)
                .parameter("weight_hh", stateWeight)
                .parameter("bias_ih", inputBias)
                .parameter("bias_hh", stateBias)
                .setCode(
                        """
                        def forward(self, u: Tensor, s: Tensor) -> Tensor:
                          i = torch.reshape(u, [-1, %s])
                          h = torch.reshape(s, [-1, %s])
                          n = torch.gru_cell(i, h, self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh)
                          return torch.reshape(n, torch.size(s))
                        """
                                .formatted(in, size))
                .build();
    }
}
