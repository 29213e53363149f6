package org.slotwise.layer;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import org.slotwise.internal.Check;
import org.slotwise.internal.Limits;
import org.slotwise.internal.Ops;
import org.slotwise.internal.Scalars;
import org.slotwise.torchscript.ScriptModule;
import org.slotwise.torchscript.Scriptable;

/**
 * Sines and cosines of a time, at frequencies from 1 down to 1 / 10000.
 *
 * <p>Source: Vaswani et al. (2017), section 3.5; as Ho et al., "Denoising Diffusion Probabilistic
 * Models" (2020), use it for the step of a diffusion.
 *
 * <pre>{@code
 * f_i = exp(-ln(10000) i / (d / 2 - shift))            i = 0 ... d / 2 - 1
 * e   = [cos(t f), sin(t f)]                           COSINE_FIRST
 * e   = [sin(t f), cos(t f)]                           SINE_FIRST
 * e   = [sin(t f_0), cos(t f_0), sin(t f_1), ...]      INTERLEAVED
 * }</pre>
 *
 * <p>An odd d leaves a zero at the end. In float32 the angles of t = 999 are off by up to 6e-5,
 * here as in PyTorch.
 *
 * @param size d, at least 2
 * @param order in which order sines and cosines stand
 * @param shift 0, or 1 in the older form of DDPM
 */
public record TimeEmbedding(int size, Order order, int shift) implements Scriptable {

    /** In which order sines and cosines stand. */
    public enum Order {
        /** All cosines, then all sines: Stable Diffusion, Latent Slot Diffusion, SlotDiffusion. */
        COSINE_FIRST,
        /** All sines, then all cosines: DDPM. */
        SINE_FIRST,
        /** A sine and a cosine in turn: Vaswani et al. */
        INTERLEAVED
    }

    /**
     * Creates an embedding.
     *
     * @param size d, at least 2; at least 4 with a shift
     * @param order in which order sines and cosines stand
     * @param shift 0 or 1
     * @throws IllegalArgumentException if a number is out of range
     */
    public TimeEmbedding {
        String who = "TimeEmbedding";
        Check.option(shift == 0 || shift == 1, who + ": shift must be 0 or 1, got " + shift);
        Check.atLeast(who, "size", size, shift == 0 ? 2 : 4);
        Limits.numbers(who, "the embedding of a time", size);
    }

    /**
     * Embeds times.
     *
     * @param t (B), of a floating type
     * @return e (B, d), of that type
     */
    public NDArray of(NDArray t) {
        Check.shape("TimeEmbedding", "times", t, "B");
        Check.floating("TimeEmbedding", "times", t.getDataType());
        Limits.numbers("TimeEmbedding", "the embedding", t.getShape().get(0), size);
        int half = size / 2;
        NDArray i = Ops.range(t, half).toType(t.getDataType(), false);
        NDArray f = i.mul(Scalars.like(t, -Math.log(10000) / (half - shift))).exp();
        NDArray angle = t.expandDims(1).mul(f.expandDims(0)); // (B, d / 2)
        NDArray sine = angle.sin();
        NDArray cosine = angle.cos();
        NDArray e =
                switch (order) {
                    case COSINE_FIRST -> cosine.concat(sine, 1);
                    case SINE_FIRST -> sine.concat(cosine, 1);
                    case INTERLEAVED ->
                            NDArrays.stack(new NDList(sine, cosine), 2)
                                    .reshape(t.getShape().get(0), 2L * half);
                };
        if (size % 2 == 0) {
            return e;
        }
        NDArray zero = Scalars.full(t, new Shape(t.getShape().get(0), 1), 0, t.getDataType());
        return e.concat(zero, 1);
    }

    /** Its {@code forward} takes times (B) of a floating type. {@inheritDoc} */
    @Override
    public ScriptModule script() {
        int half = size / 2;
        String both =
                switch (order) {
                    case COSINE_FIRST -> "torch.cat([torch.cos(a), torch.sin(a)], 1)";
                    case SINE_FIRST -> "torch.cat([torch.sin(a), torch.cos(a)], 1)";
                    case INTERLEAVED ->
                            "torch.flatten(torch.stack([torch.sin(a), torch.cos(a)], 2), 1)";
                };
        return ScriptModule.builder("TimeEmbedding")
                .setCode(
                        """
                        def forward(self, t: Tensor) -> Tensor:
                          i = torch.arange(%s, dtype=ops.prim.dtype(t), device=ops.prim.device(t))
                          f = torch.exp(torch.mul(i, %s))
                          a = torch.mul(torch.unsqueeze(t, 1), f)
                          return %s
                        """
                                .formatted(
                                        half,
                                        -Math.log(10000) / (half - shift),
                                        size % 2 == 0
                                                ? both
                                                : "torch.constant_pad_nd(" + both + ", [0, 1], 0)"))
                .build();
    }
}
