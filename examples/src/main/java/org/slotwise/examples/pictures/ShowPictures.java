package org.slotwise.examples.pictures;

import ai.djl.modality.cv.Image;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.slotwise.data.Scene;
import org.slotwise.data.Scenes;
import org.slotwise.data.file.SceneFiles;
import org.slotwise.examples.shared.DiscoveryFigure;
import org.slotwise.examples.shared.DiscoveryFigure.What;
import org.slotwise.examples.shared.HelpOption;
import org.slotwise.examples.shared.OutputFile;
import org.slotwise.examples.shared.PicturesRead;
import org.slotwise.examples.shared.Program;
import org.slotwise.examples.shared.ScenePicture;
import org.slotwise.image.DiscoveredObjects;
import org.slotwise.model.ObjectDiscoveryConfiguration;
import org.slotwise.model.ObjectDiscoveryModel;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Draws what a model sees in pictures of one's own. */
@Command(
        name = "ShowPictures",
        header = {"Draws what a model sees in some pictures.", ""},
        description = {
            "Draws a figure, a row for each picture: the picture as the model sees it, the picture"
                    + " made again, its masks, and what of it belongs to each slot.",
            ""
        },
        sortOptions = false,
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {"0:The figure was drawn.", "1:Something failed.", "2:An option is wrong."})
public final class ShowPictures implements Callable<Integer> {

    private static final int MAX_PICTURES = 64;

    @Mixin private ModelOption model;

    @Mixin private PictureOptions pictures;

    @Option(
            names = "--pictures",
            defaultValue = "8",
            paramLabel = "NUMBER",
            description =
                    "How many of them, the first ones, 1 to "
                            + MAX_PICTURES
                            + ". Default: ${DEFAULT-VALUE}.")
    private int count;

    @Mixin private DataSeedOption dataSeed;

    @Option(
            names = "--what",
            defaultValue = "scenes",
            paramLabel = "NAME",
            description = {
                "What is drawn of each:",
                "scenes: the picture, made again, its masks, and each slot's part of it",
                "overlay: the masks over the picture",
                "slots: each slot's part of the picture, and what the model makes of it",
                "threshold: the picture where a slot's mask is above a half",
                "attention: what each slot attended to",
                "all: all of these.",
                "Default: ${DEFAULT-VALUE}."
            })
    private What what;

    @Option(
            names = "--out",
            defaultValue = "objects.png",
            paramLabel = "FILE",
            description = "Where the figure goes, a PNG file. Default: ${DEFAULT-VALUE}.")
    private Path output;

    @Mixin private EngineThreads threads;

    @Mixin private HelpOption help;

    @Spec private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        pictures.check(spec);
        dataSeed.check(spec);
        Program.requireRange(spec, "--pictures", count, 1, MAX_PICTURES);
        threads.check(spec);
        Program.require(spec, OutputFile.isPng(output), "--out must end in .png", output);
        OutputFile file = new OutputFile(output);
        if (pictures.areGenerated()) {
            file.check(null);
        } else {
            file.check(pictures.images());
            new PicturesRead(pictures.images()).refuse(spec, "--out", output);
        }
        threads.set();
        PrintWriter out = spec.commandLine().getOut();
        try (ObjectDiscoveryModel loaded = model.load()) {
            List<Image> images = first(loaded.configuration());
            List<DiscoveredObjects> found = loaded.predict(images);
            file.write(DiscoveryFigure.draw(what, images, found));
        }
        out.printf("Figure: %s%n", output.toAbsolutePath().normalize());
        return ExitCode.OK;
    }

    private List<Image> first(ObjectDiscoveryConfiguration made) throws IOException {
        if (pictures.areGenerated()) {
            Scenes scenes = pictures.generated(spec, count, dataSeed.seed(), made);
            List<Image> images = new ArrayList<>();
            for (long i = 0; i < count; i++) {
                images.add(ScenePicture.of(scenes.get(i)));
            }
            return images;
        }
        try (SceneFiles files = pictures.open(spec, made);
                Stream<Scene> scenes = files.open()) {
            return scenes.limit(count).map(ScenePicture::of).toList();
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
    }
}
