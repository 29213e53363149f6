package org.slotwise.unet;

import ai.djl.ndarray.NDArray;
import java.util.ArrayList;
import java.util.List;
import org.slotwise.internal.Declarer;
import org.slotwise.internal.FusedOps;
import org.slotwise.internal.Pass;
import org.slotwise.internal.Scope;
import org.slotwise.layer.GroupNorm;
import org.slotwise.layer.LayerNorm;
import org.slotwise.layer.Linear;
import org.slotwise.layer.PointwiseConvolution;

/**
 * The transformer of {@link BranchNormUNet}: normalisations are inside the branches, after the
 * work; nothing goes around the whole.
 *
 * <pre>{@code
 * y = tokens(conv1 GN(x))
 * each repeat:   y = y + LN(attention(y, y));   y = y + LN(attention(y, s));   y = y + LN(W y + b)
 * z = conv2 image(y)
 * }</pre>
 */
record BranchNormTransformer(
        GroupNorm norm, PointwiseConvolution first, List<Repeat> repeats, PointwiseConvolution last)
        implements BranchNormLayers.Part {

    /** What is repeated. */
    record Repeat(
            PackedAttention self,
            LayerNorm norm2,
            PackedAttention cross,
            LayerNorm norm3,
            Linear map,
            LayerNorm norm4) {

        NDArray apply(Pass pass, NDArray y, Told told) {
            NDArray slots = told.slots();
            try (Scope scope = new Scope()) {
                NDArray u = branch(pass, norm2, self.attend(pass, y, y)).addi(y);
                told.show(() -> cross.weights(pass, u, slots));
                NDArray v = branch(pass, norm3, cross.attend(pass, u, slots)).addi(u);
                u.close();
                return scope.keep(branch(pass, norm4, map.apply(pass, v)).addi(v));
            }
        }

        private static NDArray branch(Pass pass, LayerNorm norm, NDArray work) {
            return Scope.next(work, norm.apply(pass, work));
        }
    }

    static BranchNormTransformer of(
            Declarer p, int channels, int slotDim, int headSize, int repeats) {
        GroupNorm norm = GroupNorm.of(p.under("norm1"), BranchNormResidual.GROUPS, channels);
        PointwiseConvolution first = PointwiseConvolution.of(p.under("conv1"), channels, channels);
        int heads = Heads.size(headSize).at(channels);
        List<Repeat> all = new ArrayList<>();
        for (int i = 0; i < repeats; i++) {
            String n = Integer.toString(i);
            Declarer mlp = p.under("mlp").under(n);
            all.add(
                    new Repeat(
                            PackedAttention.toItself(
                                    p.under("self_attention").under(n), channels, heads),
                            LayerNorm.of(p.under("norm2").under(n), channels),
                            PackedAttention.toMemory(
                                    p.under("cross_attention").under(n), channels, slotDim, heads),
                            LayerNorm.of(p.under("norm3").under(n), channels),
                            Linear.of(mlp.under("0"), channels, channels),
                            LayerNorm.of(mlp.under("1"), channels)));
        }
        return new BranchNormTransformer(
                norm,
                first,
                List.copyOf(all),
                PointwiseConvolution.of(p.under("conv2"), channels, channels));
    }

    @Override
    public NDArray apply(Pass pass, NDArray x, NDArray e, Told told) {
        try (Scope scope = new Scope()) {
            NDArray y = norm.apply(pass, x);
            y = Scope.next(y, FusedOps.tokens(y));
            y = Scope.next(y, first.apply(pass, y));
            for (Repeat repeat : repeats) {
                y = Scope.next(y, repeat.apply(pass, y, told));
            }
            y = Scope.next(y, last.apply(pass, y));
            return scope.keep(FusedOps.image(y, x));
        }
    }
}
