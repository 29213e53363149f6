package org.slotwise.unet;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slotwise.layer.Layer;
import org.slotwise.layer.ResnetBlock;
import org.slotwise.torchscript.ScriptModule;

/** The way of {@link UNetLayers} through its parts in TorchScript, and the parts by their names. */
final class UNetScript {

    private static final String WHO = "UNet";
    private static final String FORWARD =
            """
            def forward(self, sample: Tensor, timestep: Tensor%s) -> Tensor:
              t = torch.to(timestep, ops.prim.device(sample), ops.prim.dtype(sample))
              t = torch.expand(torch.reshape(t, [-1]), [torch.size(sample, 0)])
              e = torch.silu(self.time_embedding.forward(self.time_proj.forward(t)))
              h = self.conv_in.forward(sample)
            %s\
              return self.conv_out.forward(self.conv_norm_out.activated(h))
            """;

    private final boolean told;
    private final StringBuilder code = new StringBuilder();
    private final Deque<String> kept = new ArrayDeque<>();

    private UNetScript(boolean told) {
        this.told = told;
    }

    /** The module of a network. */
    static ScriptModule of(UNetLayers network, boolean told) {
        UNetScript script = new UNetScript(told);
        ScriptModule.Builder module =
                ScriptModule.builder(WHO)
                        .module("conv_in", network.first().script())
                        .module("time_proj", network.times().script())
                        .module("time_embedding", network.time().script());
        script.keep();
        module.module("down_blocks", script.levels(network.down(), "down_blocks"));
        module.module("mid_block", script.middle(network.middle(), network.afterMiddle()));
        module.module("up_blocks", script.levels(network.up(), "up_blocks"));
        return module.module("conv_norm_out", network.norm().script())
                .module("conv_out", network.last().script())
                .setCode(
                        FORWARD.formatted(
                                told ? ", encoder_hidden_states: Tensor" : "", script.code))
                .build();
    }

    private void line(String line) {
        code.append("  ").append(line).append('\n');
    }

    private void keep() {
        String name = "kept" + kept.size();
        line(name + " = h");
        kept.push(name);
    }

    private ScriptModule levels(List<UNetLevel> levels, String name) {
        boolean down = name.startsWith("down");
        List<ScriptModule> all = new ArrayList<>();
        for (UNetLevel level : levels) {
            String path = ScriptModule.self(name, all.size());
            List<ScriptModule> residuals = new ArrayList<>();
            List<ScriptModule> attentions = new ArrayList<>();
            for (UNetLevel.Stage stage : level.stages()) {
                if (!down) {
                    line("h = torch.cat([h, " + kept.pop() + "], 1)");
                }
                stage(path, stage, residuals, attentions);
                if (down) {
                    keep();
                }
            }
            Layer resize = level.resize();
            String resizers = down ? "downsamplers" : "upsamplers";
            if (resize != null) {
                line("h = " + part(path, resizers, 0) + ".forward(h)");
                if (down) {
                    keep();
                }
            }
            ScriptModule.Builder module =
                    ScriptModule.builder(down ? "DownBlock" : "UpBlock")
                            .module("resnets", ScriptModule.list(residuals))
                            .module("attentions", listed(attentions));
            if (resize != null) {
                ScriptModule one = ScriptModule.of(WHO, resize);
                module.module(resizers, ScriptModule.list(List.of(one)));
            }
            all.add(module.setCode("").build());
        }
        return ScriptModule.list(all);
    }

    private ScriptModule middle(
            UNetLevel.Stage stage, ResnetBlock after) {
        List<ScriptModule> residuals = new ArrayList<>();
        List<ScriptModule> attentions = new ArrayList<>();
        String path = ScriptModule.self("mid_block");
        stage(path, stage, residuals, attentions);
        residual(path, after, residuals);
        return ScriptModule.builder("MidBlock")
                .module("resnets", ScriptModule.list(residuals))
                .module("attentions", listed(attentions))
                .setCode("")
                .build();
    }

    private static @Nullable ScriptModule listed(List<ScriptModule> modules) {
        return modules.isEmpty() ? null : ScriptModule.list(modules);
    }

    private void stage(
            String path,
            UNetLevel.Stage stage,
            List<ScriptModule> residuals,
            List<ScriptModule> attentions) {
        residual(path, stage.residual(), residuals);
        if (stage.attention() != SlotLayer.NONE) {
            String call = told ? ".forward(h, encoder_hidden_states)" : ".forward(h)";
            line("h = " + part(path, "attentions", attentions.size()) + call);
            attentions.add(ScriptModule.of(WHO, stage.attention()));
        }
    }

    private void residual(
            String path, ResnetBlock block, List<ScriptModule> residuals) {
        line("h = " + part(path, "resnets", residuals.size()) + ".forward(h, e)");
        residuals.add(block.script());
    }

    private static String part(String path, String list, int number) {
        return "getattr(" + path + "." + list + ", \"" + number + "\")";
    }
}
