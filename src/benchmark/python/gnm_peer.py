"""GNM as PyTorch is usually written, for GnmSpeed, eager and compiled: a training step (forward and backward,
no update) and an explanation. Written from the equations in the documentation. A request to load has "sizes",
"temperature", "presence" and "weights".
"""
import torch
import torch.nn.functional as F
from torch import nn
from torch.distributions import Normal, kl_divergence

import serving


class Stack(nn.Module):
    """Layers under the name that the state dict has for their sequence."""

    def __init__(self, name, layers):
        super().__init__()
        self.name = name
        setattr(self, name, nn.Sequential(*layers))

    def forward(self, x):
        return getattr(self, self.name)(x)


def convolutions(channels, stack, open_end=False):
    layers = []
    rows = list(zip(stack["filters"], stack["kernels"], stack["steps"], stack["groups"]))
    for i, (f, k, s, g) in enumerate(rows):
        layers.append(nn.Conv2d(channels, f, k, max(1, s), 0 if s == 0 else (k - 1) // 2))
        if i < len(rows) - 1 or not open_end:
            layers += [nn.CELU(), nn.GroupNorm(g, f)]
        channels = f
    return Stack("conv", layers)


def sub_pixels(channels, stack):
    layers = []
    rows = list(zip(stack["filters"], stack["kernels"], stack["steps"], stack["groups"]))
    for i, (f, k, u, g) in enumerate(rows):
        layers.append(nn.Conv2d(channels, f * u * u, k, 1, (k - 1) // 2))
        if u > 1:
            layers.append(nn.PixelShuffle(u))
        if i < len(rows) - 1:
            layers += [nn.CELU(), nn.GroupNorm(g, f)]
        channels = f
    return Stack("conv", layers)


def perceptron(channels, hidden, out, open_end=True):
    layers = []
    for size in hidden + [out]:
        layers += [nn.Linear(channels, size), nn.CELU(), nn.LayerNorm(size)]
        channels = size
    return Stack("mlp", layers[:-2] if open_end else layers)


def halves(x):
    mean, deviation = x.chunk(2, 1)
    return Normal(mean, F.softplus(deviation), validate_args=False)


def sample(distribution, noise):
    return distribution.loc + distribution.scale * noise


def rows(x):
    return x.permute(0, 2, 3, 1).reshape(-1, x.shape[1])


class Cell(nn.Module):
    def __init__(self, channels, size, kernel, g):
        super().__init__()
        self.h_0 = nn.Parameter(torch.zeros(1, size, g, g))
        self.c_0 = nn.Parameter(torch.zeros(1, size, g, g))
        self.conv = nn.Conv2d(channels + size, 4 * size, kernel, 1, (kernel - 1) // 2)

    def start(self, batch):
        return self.h_0.expand(batch, -1, -1, -1), self.c_0.expand(batch, -1, -1, -1)

    def forward(self, x, state):
        h, c = state
        i, f, o, n = self.conv(torch.cat([x, h], 1)).chunk(4, 1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(n)
        return torch.sigmoid(o) * torch.tanh(c), c


class Scene(nn.Module):
    def __init__(self, sizes):
        super().__init__()
        scene, z, g = sizes["networks"]["scene"], sizes["latents"]["scene"], sizes["cells"]
        e = sizes["networks"]["encoder"]["filters"][-1]
        self.g, self.steps = g, sizes["latents"]["steps"]
        seen, drawn, channels = scene["encoderSize"], scene["decoderSize"], scene["decoderChannels"]
        self.register_buffer("dec_step_0", torch.zeros(1, e, g, g))
        self.p_global_decoder_net = perceptron(z, scene["decoder"], channels * g * g, False)
        self.rnn_enc = Cell(2 * e + drawn, seen, scene["kernel"], g)
        self.rnn_dec = Cell(channels + e, drawn, scene["kernel"], g)
        self.p_global_net = perceptron(drawn * g * g, scene["prior"], 2 * z)
        self.q_global_net = perceptron(seen * g * g, scene["posterior"], 2 * z)
        self.hid_to_dec_net = convolutions(drawn, scene["map"], True)

    def forward(self, e, noise):
        b = e.shape[0]
        f = self.dec_step_0.expand(b, -1, -1, -1)
        seeing, drawing = self.rnn_enc.start(b), self.rnn_dec.start(b)
        latents, divergence = [], 0
        for t in range(self.steps):
            p = halves(self.p_global_net(drawing[0].permute(0, 2, 3, 1).flatten(1)))
            error = e if t == 0 else e - f
            seeing = self.rnn_enc(torch.cat([e, error, drawing[0]], 1), seeing)
            q = halves(self.q_global_net(seeing[0].permute(0, 2, 3, 1).flatten(1)))
            z = sample(q, noise[:, t])
            latents.append(z)
            divergence = divergence + kl_divergence(q, p).flatten(1).sum(1)
            d = self.p_global_decoder_net(z).reshape(b, -1, self.g, self.g)
            drawing = self.rnn_dec(torch.cat([d, f], 1), drawing)
            f = f + self.hid_to_dec_net(drawing[0])
        return f, torch.stack(latents, 1), divergence


class Cells(nn.Module):
    def __init__(self, sizes):
        super().__init__()
        networks = sizes["networks"]
        self.pwdw_net = convolutions(networks["encoder"]["filters"][-1], networks["cells"])
        channels = networks["cells"]["filters"][-1]
        self.q_depth_net = nn.Conv2d(channels, 2, 1)
        self.q_where_net = nn.Conv2d(channels, 8, 1)
        self.q_what_net = nn.Conv2d(channels, 2 * sizes["latents"]["what"], 1)
        self.q_pres_net = nn.Conv2d(channels, 1, 1)

    def forward(self, e):
        h = self.pwdw_net(e)
        presence = torch.tanh(self.q_pres_net(h)) * 8.8
        return presence, *(halves(m(h)) for m in (self.q_where_net, self.q_depth_net, self.q_what_net))


class Sampler(nn.Module):
    def __init__(self, sizes):
        super().__init__()
        self.g = g = sizes["cells"]
        self.register_buffer("offset", torch.zeros(1, 2, g, g))
        self.z_what_decoder_net = sub_pixels(sizes["latents"]["what"], sizes["networks"]["glimpse"])

    def place(self, w):
        size, ratio = torch.sigmoid(w[:, :1]), torch.sqrt(torch.exp(w[:, 1:2]))
        t = 2 / self.g * (self.offset + 0.5 + torch.tanh(w[:, 2:])) - 1
        return torch.cat([size / ratio, size * ratio, t], 1)

    def glimpses(self, what):
        return torch.sigmoid(self.z_what_decoder_net(rows(what)[:, :, None, None]))


class Ground(nn.Module):
    def __init__(self, name, stack):
        super().__init__()
        self.name = name
        setattr(self, name, stack)

    def forward(self, x):
        return getattr(self, self.name)(x)


def paste(x, grid):
    return F.grid_sample(x, grid, "bilinear", "zeros", False)


class Gnm(nn.Module):
    def __init__(self, sizes):
        super().__init__()
        networks, latents, picture = sizes["networks"], sizes["latents"], sizes["picture"]
        self.size, self.sigma = picture["size"], sizes["sigma"]
        g, e = sizes["cells"], networks["encoder"]["filters"][-1]
        for name, shape in (("what", (1,)), ("bg", (1,)), ("depth", (1,)), ("where", (1, 4))):
            self.register_buffer(f"aux_p_{name}_mean", torch.zeros(shape))
            self.register_buffer(f"aux_p_{name}_std", torch.zeros(shape))
        self.register_buffer("aux_p_pres_probs", torch.tensor(0.0))
        self.register_buffer("background", torch.zeros(1, picture["channels"], self.size, self.size))
        self.img_encoder = convolutions(picture["channels"], networks["encoder"])
        self.global_struct_draw = Scene(sizes)
        self.p_z_given_x_or_g_net = Cells(sizes)
        self.local_latent_sampler = Sampler(sizes)
        zb = latents["background"]
        self.p_bg_decoder = Ground("p_bg_decoder", sub_pixels(zb, networks["background"]))
        self.p_bg_given_g_net = Ground(
            "p_bg_generator",
            perceptron(latents["steps"] * latents["scene"], networks["backgroundPrior"], 2 * zb))
        self.q_bg_given_x_net = Ground(
            "p_bg_encoder", perceptron(e * g * g, networks["backgroundPosterior"], 2 * zb))

    def render(self, z, w, depth, what, background):
        b = z.shape[0]
        glimpses = self.local_latent_sampler.glimpses(what)
        o, a = glimpses[:, :-1], glimpses[:, -1:]
        bg = torch.sigmoid(self.p_bg_decoder(background[:, :, None, None]))
        sx, sy, tx, ty = rows(self.local_latent_sampler.place(w)).unbind(1)
        sx, sy = sx + 1e-15, sy + 1e-15
        zero = torch.zeros_like(sx)
        theta = torch.stack([1 / sx, zero, -tx / sx, zero, 1 / sy, -ty / sy], 1).view(-1, 2, 3)
        grid = F.affine_grid(theta, (theta.shape[0], 1, self.size, self.size), False)
        ah = a * rows(z)[:, :, None, None]
        shape = (b, -1, 1, self.size, self.size)
        imp = paste(ah * torch.sigmoid(-rows(depth)[:, :, None, None]), grid).view(shape)
        masks = paste(ah, grid).view(shape)
        colours = paste(ah * o, grid).view(b, -1, o.shape[1], self.size, self.size)
        fg = (colours * (imp / (imp.sum(1, True) + 1e-15))).sum(1)
        alpha = masks.sum(1)
        alpha = alpha + (alpha.clamp(1e-15, 1 - 1e-15) - alpha).detach()
        return fg + (1 - alpha) * bg, masks

    def explain(self, x):
        e = self.img_encoder(x)
        presence, where, depth, what = self.p_z_given_x_or_g_net(e)
        z = (presence > 0).to(x.dtype)
        background = halves(self.q_bg_given_x_net(e.flatten(1))).loc
        return (*self.render(z, where.loc, depth.loc, what.loc, background), z)

    def step(self, x, noise, temperature, presence_prior, weights):
        e = self.img_encoder(x)
        f, scene, kl_scene = self.global_struct_draw(e, noise["scene"])
        q, p = self.p_z_given_x_or_g_net(e), self.p_z_given_x_or_g_net(f)
        own = halves(self.q_bg_given_x_net(e.flatten(1)))
        predicted = halves(self.p_bg_given_g_net(scene.flatten(1)))
        background = sample(own, noise["background"])
        eps = torch.finfo(x.dtype).eps
        u = noise["presence"].clamp(eps, 1 - eps)
        pi = torch.sigmoid(q[0]).clamp(eps, 1 - eps)
        logit = u.log() - (-u).log1p() + pi.log() - (-pi).log1p()
        z = torch.sigmoid(logit / temperature).clamp(torch.finfo(x.dtype).tiny, 1 - eps)
        w, depth, what = (sample(q[i + 1], noise[k]) for i, k in enumerate(("where", "depth", "what")))
        y, _ = self.render(z, w, depth, what, background)
        likelihood = Normal(y, self.sigma, validate_args=False).log_prob(x).flatten(1).sum(1)
        fixed = {k: Normal(getattr(self, f"aux_p_{k}_mean"), getattr(self, f"aux_p_{k}_std"), validate_args=False)
                 for k in ("what", "depth", "bg")}
        fixed["where"] = Normal(self.aux_p_where_mean[:, :, None, None],
                                self.aux_p_where_std[:, :, None, None], validate_args=False)
        some = z.clamp(min=1e-5)

        def total(x):
            return x.flatten(1).sum(1)

        terms = [total(self.yes_or_no(torch.sigmoid(q[0]), torch.sigmoid(p[0])))]
        terms += [total(kl_divergence(q[i], p[i])) for i in (1, 2, 3)]
        terms += [total(kl_divergence(own, predicted)), kl_scene]
        terms += [total(self.yes_or_no(torch.sigmoid(q[0]), torch.tensor(presence_prior)))]
        terms += [total(kl_divergence(q[i], fixed[k]) * some)
                  for i, k in ((1, "where"), (2, "depth"), (3, "what"))]
        terms += [total(kl_divergence(own, fixed["bg"]))]
        loss = -likelihood.mean() + sum(t.mean() * w for t, w in zip(terms, weights))
        return loss, likelihood, torch.stack(terms, 1), y

    @staticmethod
    def yes_or_no(q, p):
        return (q * (torch.log(q + 1e-15) - torch.log(p + 1e-15))
                + (1 - q) * (torch.log(1 - q + 1e-15) - torch.log(1 - p + 1e-15)))


class Subject:
    def __init__(self, request, arrays):
        serving.begin(request)
        self.device = request["device"]
        self.model = Gnm(request["sizes"])
        self.model.load_state_dict(serving.tensors(arrays, "parameters."))
        self.model.to(self.device)
        self.noise = {k: v.to(self.device) for k, v in serving.tensors(arrays, "inputs.").items()}
        self.images = self.noise.pop("images")
        self.setting = request["temperature"], request["presence"], request["weights"]
        both = self.model.step, self.model.explain
        self.ways = {"eager": both, "compile": tuple(serving.compiled(f) for f in both)}

    def explain(self, who):
        with torch.inference_mode():
            return self.ways[who][1](self.images)

    def step(self, who):
        out = self.ways[who][0](self.images, self.noise, *self.setting)
        out[0].backward()
        return out

    def run(self, who, training):
        (self.step if training else self.explain)(who)

    def results(self, who):
        self.model.zero_grad()
        picture, masks, presence = self.explain(who)
        _, likelihood, terms, drawn = self.step(who)
        results = {"explained picture": picture, "explained masks": masks,
                   "explained presence": presence, "likelihood": likelihood, "terms": terms,
                   "picture": drawn}
        for name, parameter in self.model.named_parameters():
            results["gradient of " + name] = parameter.grad
        return {k: v.detach().cpu().numpy().copy() for k, v in results.items()}


if __name__ == "__main__":
    serving.serve(Subject)
