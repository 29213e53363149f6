package org.slotwise.layer;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import org.slotwise.internal.Ops;

/**
 * A gated recurrent unit with PyTorch's layout: gates in the order r, z, n, and two biases.
 *
 * <pre>{@code
 * r = sigmoid(Wir u + bir + Whr s + bhr)
 * z = sigmoid(Wiz u + biz + Whz s + bhz)
 * n = tanh(Win u + bin + r * (Whn s + bhn))
 * s' = (1 - z) n + z s
 * }</pre>
 */
public final class GruCell {

    private final NDArray inputWeight; // (3 D, C)
    private final NDArray stateWeight; // (3 D, D)
    private final NDArray inputBias; // (3 D)
    private final NDArray stateBias; // (3 D)

    /**
     * Takes the parameters' values.
     *
     * @param inputWeight (3 D, C)
     * @param stateWeight (3 D, D)
     * @param inputBias (3 D)
     * @param stateBias (3 D)
     */
    public GruCell(NDArray inputWeight, NDArray stateWeight, NDArray inputBias, NDArray stateBias) {
        this.inputWeight = inputWeight;
        this.stateWeight = stateWeight;
        this.inputBias = inputBias;
        this.stateBias = stateBias;
    }

    /**
     * Makes a step.
     *
     * @param u inputs (B, K, C)
     * @param s states (B, K, D)
     * @return the next states (B, K, D)
     */
    public NDArray step(NDArray u, NDArray s) {
        return u.getDevice().isGpu() ? gateByGate(u, s) : inOneCall(u, s);
    }

    /**
     * The engine's own GRU on a sequence of one. On a GPU this would go through cuDNN, which copies
     * the weights at each call and rounds products to TF32.
     */
    NDArray inOneCall(NDArray u, NDArray s) {
        Shape shape = s.getShape();
        long rows = shape.get(0) * shape.get(1);
        NDList weights = new NDList(inputWeight, stateWeight, inputBias, stateBias);
        NDArray sequence = u.reshape(1, rows, u.getShape().get(2));
        NDArray state = s.reshape(1, rows, shape.get(2));
        return sequence.getNDArrayInternal()
                .gru(sequence, state, weights, true, 1, 0, true, false, false)
                .get(1)
                .reshape(shape);
    }

    NDArray gateByGate(NDArray u, NDArray s) {
        NDList input = Ops.linear(u, inputWeight, inputBias).split(3, 2);
        NDList state = Ops.linear(s, stateWeight, stateBias).split(3, 2);
        NDArray r = Activation.sigmoid(input.get(0).add(state.get(0)));
        NDArray z = Activation.sigmoid(input.get(1).add(state.get(1)));
        NDArray n = input.get(2).add(r.mul(state.get(2))).tanh();
        // (1 - z) n + z s
        return n.add(z.mul(s.sub(n)));
    }
}
