package org.slotwise.unet;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Check;
import org.slotwise.internal.HeldArrays;
import org.slotwise.internal.NoGraph;
import org.slotwise.internal.Scalars;
import org.slotwise.internal.Scope;
import org.slotwise.torchscript.LoadedScript;

/**
 * A {@link UNet} under slots, as one call for each prediction: slots as cross attention meets them,
 * weights in the order in which the engine's convolutions want them, and what the residual blocks
 * are told at each time are made once.
 */
final class ToldUNet implements ToldDenoiser {

    private final UNet unet;
    private final LoadedScript script;
    private final NDArray slots;
    private final HeldArrays told;
    private final NDManager own;
    private final Map<Integer, NDArray> rows = new HashMap<>();

    /** Tells a network slots and times, while no graph is recorded. */
    ToldUNet(UNet unet, LoadedScript script, NDArray slots, int... times) {
        this.unet = unet;
        this.script = script;
        this.slots = slots;
        own = slots.getManager().newSubManager();
        try (NDList made = script.call("tell", slots)) {
            told = new HeldArrays(own, made);
        }
        tell(times);
    }

    private void tell(int... times) {
        if (times.length == 0) {
            return;
        }
        double[] values = new double[times.length];
        for (int i = 0; i < times.length; i++) {
            values[i] = times[i];
        }
        try (NDManager scratch = own.newSubManager()) {
            Shape shape = new Shape(times.length);
            NDArray t = Scalars.of(scratch, slots.getDevice(), values, shape, slots.getDataType());
            NDArray all = script.call("tell_times", t).head(); // (T, what blocks are told)
            for (int i = 0; i < times.length; i++) {
                NDArray row = Scope.release(all.get(i));
                row.attach(own);
                rows.put(times[i], row);
            }
        }
    }

    /** {@inheritDoc} */
    @Override
    public NDArray predict(NDArray latents, NDArray timesteps) {
        unet.check(latents, timesteps, slots);
        requireOpen();
        try (NDArray times = DenoiserBlock.times(timesteps, latents)) {
            return script.infer("step", latents, times, told);
        }
    }

    /** {@inheritDoc} */
    @Override
    public NDArray predict(NDArray latents, int time) {
        unet.requireFit(latents, slots);
        requireOpen();
        Check.atLeast("UNet", "time", time, 0);
        return script.infer("step_at", latents, row(time), told);
    }

    private void requireOpen() {
        if (!own.isOpen()) {
            throw new IllegalStateException("UNet: what it was told is closed");
        }
    }

    private NDArray row(int time) {
        synchronized (rows) {
            @Nullable NDArray row = rows.get(time);
            if (row == null) {
                row =
                        NoGraph.during(
                                () -> {
                                    tell(time);
                                    return rows.get(time);
                                });
            }
            return row;
        }
    }

    /** {@inheritDoc} */
    @Override
    public void close() {
        own.close();
    }
}
