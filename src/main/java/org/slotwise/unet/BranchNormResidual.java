package org.slotwise.unet;

import ai.djl.ndarray.NDArray;
import org.slotwise.internal.Declarer;
import org.slotwise.internal.Pass;
import org.slotwise.internal.Scope;
import org.slotwise.layer.Convolution;
import org.slotwise.layer.Dropout;
import org.slotwise.layer.DropoutMask;
import org.slotwise.layer.GroupNorm;
import org.slotwise.layer.Layer;
import org.slotwise.layer.Linear;
import org.slotwise.layer.ResnetBlock.Resize;
import org.slotwise.layer.Window;

/**
 * The residual block of {@link BranchNormUNet}: nothing goes around its first half.
 *
 * <pre>{@code
 * h = silu(GN(x));   h = conv5 h, or half or twice the size
 * y = h + W e + b                                          e: silu of the time's embedding
 * z = project(y) + conv5 dropout(silu(GN(y)))              project: conv5 where channels change, else y
 * }</pre>
 */
record BranchNormResidual(
        GroupNorm norm1,
        Layer first,
        Linear time,
        GroupNorm norm2,
        Convolution second,
        Layer project,
        double dropout)
        implements BranchNormLayers.Part {

    /** Groups of all normalisations. */
    static final int GROUPS = 4;

    private static final Window AROUND = Window.same(5);

    static BranchNormResidual of(
            Declarer p, int in, int out, int timeDim, Resize resize, double dropout) {
        Declarer inp = p.under("inp");
        Declarer after = p.under("out");
        return new BranchNormResidual(
                GroupNorm.of(inp.under("0"), GROUPS, in),
                resize == Resize.SAME
                        ? Convolution.of(inp.under("2"), in, in, AROUND)
                        : (pass, x) -> resize.apply(x),
                Linear.of(p.under("time").under("1"), timeDim, in),
                GroupNorm.of(after.under("0"), GROUPS, in),
                Convolution.of(after.under("3"), in, out, AROUND),
                in == out ? Layer.NONE : Convolution.of(p.under("project"), in, out, AROUND),
                dropout);
    }

    @Override
    public NDArray apply(Pass pass, NDArray x, NDArray e, Told told) {
        try (Scope scope = new Scope()) {
            NDArray h = norm1.activated(pass, x);
            NDArray y = Scope.next(h, first.apply(pass, h));
            y.addi(time.apply(pass, e).expandDims(2).expandDims(3));
            h = norm2.activated(pass, y);
            h = Scope.next(h, dropped(pass, h));
            h = Scope.next(h, second.apply(pass, h));
            return scope.keep(h.addi(project.apply(pass, y)));
        }
    }

    private NDArray dropped(Pass pass, NDArray h) {
        if (!pass.training()) {
            return h;
        }
        DropoutMask mask = new Dropout(dropout).kept(h, h.getShape());
        return mask == null ? h : mask.apply(h);
    }
}
