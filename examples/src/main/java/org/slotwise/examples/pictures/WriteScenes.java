package org.slotwise.examples.pictures;

import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import javax.imageio.ImageIO;
import org.jspecify.annotations.Nullable;
import org.slotwise.data.Scene;
import org.slotwise.data.Scenes;
import org.slotwise.examples.shared.HelpOption;
import org.slotwise.examples.shared.OutputFolder;
import org.slotwise.examples.shared.Program;
import org.slotwise.examples.shared.ScenePicture;
import org.slotwise.examples.shared.WholeFile;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Writes generated scenes as if they were pictures of one's own. */
@Command(
        name = "WriteScenes",
        header = {"Writes generated scenes as pictures with masks.", ""},
        description = {
            "Writes pictures to FOLDER/images and what is to be found in them to FOLDER/masks, under"
                    + " the same names, as \"train\" and \"evaluate\" read them. The same options"
                    + " give the same files.",
            ""
        },
        sortOptions = false,
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {"0:All were written.", "1:Something failed.", "2:An option is wrong."})
public final class WriteScenes implements Callable<Integer> {

    private static final int MOST = 1_000_000;

    @Option(
            names = "--kind",
            defaultValue = "textured",
            paramLabel = "NAME",
            description = {
                "Which scenes, of the sizes that they usually have:",
                "textured: objects with textures and gradients on textured ground, some alike",
                "multi-dsprites: sprites of one colour on grey",
                "tetrominoes: three of them on black",
                "clevr: 3 to 10 cubes, spheres and cylinders, seen by a camera",
                "clevr6: the same, 3 to 6.",
                "Default: ${DEFAULT-VALUE}."
            })
    private GeneratedKind kind;

    @Option(
            names = "--scenes",
            defaultValue = "1000",
            paramLabel = "NUMBER",
            description =
                    "How many, 1 to "
                            + MOST
                            + "; more begin with fewer. Default: ${DEFAULT-VALUE}.")
    private int count;

    @Option(
            names = "--seed",
            defaultValue = "0",
            paramLabel = "NUMBER",
            description = "What they are drawn from. Default: ${DEFAULT-VALUE}.")
    private long seed;

    @Option(
            names = "--size",
            paramLabel = "PIXELS",
            description =
                    "Height and width, 32 to 512, for textured, clevr and clevr6. Default: 64.")
    private @Nullable Integer side;

    @Option(
            names = "--out",
            required = true,
            paramLabel = "FOLDER",
            description = "Where they go: a folder that is empty or not there yet.")
    private Path output;

    @Mixin private HelpOption help;

    @Spec private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        Program.requireRange(spec, "--scenes", count, 1, MOST);
        if (side != null) {
            Program.require(
                    spec,
                    kind.hasSizes(),
                    "--size goes with textured, clevr and clevr6",
                    kind + " has one");
            Program.requireRange(spec, "--size", side, 32, 512);
        }
        OutputFolder.requireName(spec, "--out", output);
        OutputFolder folder = new OutputFolder(output);
        folder.check();
        refuseOthers();
        Scenes scenes = kind.scenes(count, seed, side == null ? GeneratedKind.USUAL : side);
        Path images = made(output.resolve("images"));
        Path masks = made(output.resolve("masks"));
        int digits = Math.max(4, String.valueOf(count - 1).length());
        for (int i = 0; i < count; i++) {
            String number = String.valueOf(i);
            String name = "0".repeat(digits - number.length()) + number + ".png";
            Scene scene = scenes.get(i);
            ByteArrayOutputStream png = new ByteArrayOutputStream();
            ScenePicture.of(scene).save(png, "png");
            WholeFile.write(masks.resolve(name), labels(scene));
            WholeFile.write(images.resolve(name), png.toByteArray());
        }
        spec.commandLine()
                .getOut()
                .printf(
                        Locale.ROOT,
                        "%s scenes of %s, seed %s: %s%n",
                        count,
                        kind,
                        seed,
                        output.toAbsolutePath().normalize());
        return ExitCode.OK;
    }

    /** Others among them would be learnt from. */
    private void refuseOthers() throws IOException {
        if (new OutputFolder(output).hasFiles()) {
            throw new IOException(
                    output
                            + " has files already; --out must be empty: delete what a run wrote"
                            + " there that was stopped, or name another folder");
        }
    }

    private static Path made(Path folder) throws IOException {
        new OutputFolder(folder).make();
        return folder;
    }

    /** 0 for the background, and each object's number. */
    private static byte[] labels(Scene scene) throws IOException {
        BufferedImage labels =
                new BufferedImage(scene.width(), scene.height(), BufferedImage.TYPE_BYTE_GRAY);
        labels.getRaster().setDataElements(0, 0, scene.width(), scene.height(), scene.mask());
        ByteArrayOutputStream png = new ByteArrayOutputStream();
        ImageIO.write(labels, "png", png);
        return png.toByteArray();
    }
}
