package org.slotwise.benchmark;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.NDScope;
import ai.djl.training.GradientCollector;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import org.slotwise.internal.Gradients;
import org.slotwise.training.Adam;

/** A whole model in this process: by the library, or by TorchScript. */
final class OwnWay implements ModelWay {

    /** How a model is computed: from what is seen and what slots start from. */
    interface Forward {
        NDList apply(NDManager owner, NDList inputs, boolean training);
    }

    private final NDManager manager;
    private final String name;
    private final Map<String, NDList> inputs;
    private final WholeModel.Compared compared;
    private final Map<String, NDArray> leaves;
    private final Forward forward;
    private final Adam adam = Adam.builder().build();

    /**
     * Describes a way.
     *
     * @param inputs by their names
     * @param leaves what is learnt, by its names; empty if nothing can be
     * @param forward gives the reconstruction and slots, and what was to be made if that is not
     *     what is seen
     */
    OwnWay(
            NDManager manager,
            String name,
            Map<String, NDList> inputs,
            WholeModel.Compared compared,
            Map<String, NDArray> leaves,
            Forward forward) {
        this.manager = manager;
        this.name = name;
        this.inputs = inputs;
        this.compared = compared;
        this.leaves = leaves;
        this.forward = forward;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public boolean trains() {
        return !leaves.isEmpty();
    }

    @Override
    public double run(String which, boolean training) {
        NDList in = given(which);
        return Contender.milliseconds(
                manager,
                () -> {
                    if (training) {
                        step(in);
                    } else {
                        predict(in, out -> {});
                    }
                });
    }

    @Override
    public double peak(String which, boolean training) {
        return GpuMemory.peak(manager, () -> run(which, training));
    }

    private NDList given(String which) {
        return Objects.requireNonNull(inputs.get(which), which);
    }

    private void step(NDList in) {
        backward(in, out -> {});
        leaves.forEach(
                (key, weight) -> {
                    try (NDArray gradient = Gradients.of(weight)) {
                        adam.update(key, weight, gradient);
                    }
                    Gradients.zero(weight);
                });
    }

    private void backward(NDList in, Consumer<NDList> reader) {
        try (NDManager scratch = manager.newSubManager();
                GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector();
                NDScope scope = new NDScope()) {
            scope.suppressNotUsedWarning();
            NDList seen = held(scratch, in);
            NDList out = forward.apply(scratch, seen, true);
            NDArray target = out.size() > 2 ? out.get(2) : seen.get(0);
            collector.backward(out.get(0).sub(target).square().mean());
            reader.accept(out);
        }
    }

    /** Views that go with the pass, so that what is made of them does too. */
    private static NDList held(NDManager scratch, NDList in) {
        NDList held = new NDList();
        for (NDArray input : in) {
            NDArray view = input.reshape(input.getShape());
            view.attach(scratch);
            held.add(view);
        }
        return held;
    }

    private void predict(NDList in, Consumer<NDList> reader) {
        try (NDManager scratch = manager.newSubManager()) {
            NDList out = forward.apply(scratch, held(scratch, in), false);
            reader.accept(out);
            out.forEach(NDArray::close);
        }
    }

    @Override
    public Map<String, float[]> results() {
        Map<String, float[]> results = new LinkedHashMap<>();
        if (compared.predicted() != null) {
            predict(given(compared.predicted()), out -> read("prediction ", out, results));
        }
        if (compared.trained() == null || !trains()) {
            return results;
        }
        leaves.values().forEach(Gradients::zero);
        backward(given(compared.trained()), out -> read("", out, results));
        leaves.forEach(
                (key, weight) -> {
                    try (NDArray gradient = Gradients.of(weight)) {
                        results.put("gradient of " + key, gradient.toFloatArray());
                    }
                    Gradients.zero(weight);
                });
        return results;
    }

    private static void read(String prefix, NDList out, Map<String, float[]> results) {
        results.put(prefix + "reconstruction", out.get(0).toFloatArray());
        results.put(prefix + "objects", out.get(1).toFloatArray());
    }
}
